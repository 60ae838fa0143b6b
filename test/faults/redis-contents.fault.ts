import { expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../support/until.ts'
import { connectedCaller } from './support/connected-caller.ts'
import { startRedisStage } from './support/redis-stage.ts'
import { stopCalmly } from './support/stage.ts'

setDefaultTimeout(120_000)

const DELAY_MS = 8_000

test.concurrent('a Redis that is emptied under two replicas is filled again, and nobody is lost', async () => {
  await using set = await startRedisStage()
  const { events, redis } = set
  const replicas = [await set.start(), await set.start()] as const
  const stay = await Promise.all(
    [...replicas, ...replicas].map((each) => connectedCaller(set, each, DELAY_MS)),
  )
  await redis.run('FLUSHALL')
  await until(async () => Number(await redis.run('HLEN', 'lk-jwt:jobs')) === 4)
  await Bun.sleep(1.5 * DELAY_MS)
  for (const { delayId } of stay) expect(events.sent(delayId)).toBeUndefined()
  const said = replicas.map((each) => each.output()).join('')
  expect(said).toContain('the state store came back empty or older, and was filled from memory')
  for (const each of replicas) await stopCalmly(each)
})

test.concurrent('side by side with lk-jwt-service nobody is lost, whatever it writes', async () => {
  await using set = await startRedisStage()
  const { events, redis } = set
  const service = await set.start()
  const [overwritten, deindexed] = [
    await connectedCaller(set, service, DELAY_MS),
    await connectedCaller(set, service, DELAY_MS),
  ]
  const { room, identity, delayId } = overwritten
  const Params = {
    DelayId: delayId,
    DelayTimeout: DELAY_MS * 1e6,
    ServerName: set.server.serverName,
    LiveKitRoom: room,
    LiveKitIdentity: identity,
  }
  const entry = JSON.stringify({ Params, RestartedAt: new Date().toISOString() })
  await redis.run('HSET', 'lk-jwt:jobs', JSON.stringify([room, identity]), entry)
  await redis.run('DEL', 'lk-jwt:{lk-jwt:jobs}:due')
  await Bun.sleep(2 * DELAY_MS)
  for (const caller of [overwritten, deindexed]) {
    expect(events.sent(caller.delayId)).toBeUndefined()
    await caller.leave(service)
    expect((await until(() => events.sent(caller.delayId))).by).toBe('service')
  }
  expect(service.output()).toContain('the state store has been mended')
  await stopCalmly(service)
})
