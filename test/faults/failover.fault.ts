import { expect, setDefaultTimeout, test } from 'bun:test'
import { createRedisServer } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { createCaller } from './support/caller.ts'
import { connectedCaller } from './support/connected-caller.ts'
import { startRedisStage } from './support/redis-stage.ts'
import { stopCalmly } from './support/stage.ts'

setDefaultTimeout(120_000)

const DELAY_MS = 8_000

test('after a failover behind a stable address the new primary is used within 2 s', async () => {
  await using set = await startRedisStage()
  const { events, redis, proxy } = set
  const other = await createRedisServer()
  try {
    await other.start()
    await other.run('REPLICAOF', '127.0.0.1', String(redis.port))
    const service = await set.start()
    const stays = await connectedCaller(set, service, DELAY_MS)
    const inSync = async () => Number(await other.run('HLEN', 'lk-jwt:jobs')) === 1
    await until(inSync, 30_000)
    await other.run('REPLICAOF', 'NO', 'ONE')
    await redis.run('REPLICAOF', '127.0.0.1', String(other.port))
    proxy.leadTo(other.port)
    const switchedAt = performance.now()
    await until(
      async () =>
        (await createCaller({ home: set, sfu: set.sfu, delayMs: DELAY_MS }).delegate(service))
          .status === 200,
    )
    expect(performance.now() - switchedAt).toBeLessThan(2_000)
    await Bun.sleep(1.5 * DELAY_MS)
    expect(events.sent(stays.delayId)).toBeUndefined()
    await stays.leave(service)
    expect((await until(() => events.sent(stays.delayId), 9_000)).by).toBe('service')
    await stopCalmly(service)
  } finally {
    await other.close()
  }
})
