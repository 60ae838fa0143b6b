import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createRedisServer } from '../support/redis-server.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { type Caller, createCaller } from './support/caller.ts'
import { eventually } from './support/eventually.ts'
import { type RedisStage, startRedisStage } from './support/redis-stage.ts'
import { stopCalmly } from './support/stage.ts'

setDefaultTimeout(120_000)

const DELAY_MS = 8_000
const OUTAGE_MS = 5 * DELAY_MS

function call(set: RedisStage): Caller {
  return createCaller({ home: set, sfu: set.sfu, delayMs: DELAY_MS })
}

async function connect(set: RedisStage, service: ServiceProcess): Promise<Caller> {
  const caller = call(set)
  expect((await caller.delegate(service)).status).toBe(200)
  expect((await caller.join(service)).status).toBe(200)
  await eventually(5_000, () => set.events.restarts(caller.delayId).length > 0)
  return caller
}

const outages = [
  {
    name: 'is silent',
    begin: ({ proxy }: RedisStage) => proxy.goSilent(),
    end: ({ proxy }: RedisStage) => proxy.heal(),
  },
  {
    name: 'is killed, and comes back with what it had',
    begin: ({ redis }: RedisStage) => redis.kill(),
    end: ({ redis }: RedisStage) => redis.start(),
  },
  {
    name: 'is out of memory',
    begin: ({ redis }: RedisStage) => redis.run('CONFIG', 'SET', 'maxmemory', '1'),
    end: ({ redis }: RedisStage) => redis.run('CONFIG', 'SET', 'maxmemory', '0'),
  },
  {
    name: 'is silent, and comes back empty',
    begin: ({ proxy }: RedisStage) => proxy.goSilent(),
    async end({ proxy, redis }: RedisStage) {
      await redis.run('FLUSHALL')
      proxy.heal()
    },
  },
] as const

describe('two replicas whose Redis', () => {
  test.concurrent.each(outages)('$name for five times the delay lose nobody', async (outage) => {
    await using set = await startRedisStage()
    const { events } = set
    const replicas = [await set.start(), await set.start()] as const
    const stay = await Promise.all([...replicas, ...replicas].map((each) => connect(set, each)))
    const leave = await Promise.all(replicas.map((each) => connect(set, each)))
    await outage.begin(set)
    await Bun.sleep(OUTAGE_MS / 5)
    for (const [index, caller] of leave.entries()) {
      await caller.leave(replicas[index] ?? replicas[0])
    }
    await Bun.sleep((OUTAGE_MS * 4) / 5)
    // Webhooks fail, so departures are announced by the homeserver's own timer.
    for (const { delayId } of leave) expect(events.sent(delayId)?.by).toBe('timer')
    expect(events.calls('send')).toEqual([])
    await outage.end(set)

    await eventually(10_000, async () => (await call(set).delegate(replicas[0])).status === 200)
    await Bun.sleep(1.5 * DELAY_MS)
    for (const { delayId } of stay) expect(events.sent(delayId)).toBeUndefined()
    const [first, ...others] = stay
    if (first === undefined) throw new Error('nobody stays')
    await first.leave(replicas[1])
    const sent = await eventually(3_000, () => events.sent(first.delayId))
    expect(sent.by).toBe('service')
    for (const { delayId } of others) expect(events.sent(delayId)).toBeUndefined()
    for (const each of replicas) await stopCalmly(each)
  })
})

test('two replicas refill an emptied Redis, and nobody is lost', async () => {
  await using set = await startRedisStage()
  const { events, redis } = set
  const replicas = [await set.start(), await set.start()] as const
  const stay = await Promise.all([...replicas, ...replicas].map((each) => connect(set, each)))
  await redis.run('FLUSHALL')
  await eventually(5_000, async () => Number(await redis.run('HLEN', 'lk-jwt:jobs')) === 4)
  await Bun.sleep(1.5 * DELAY_MS)
  for (const { delayId } of stay) expect(events.sent(delayId)).toBeUndefined()
  const said = replicas.map((each) => each.output()).join('')
  expect(said).toContain('the state store came back empty or older, and was filled from memory')
  for (const each of replicas) await stopCalmly(each)
})

test('after a failover behind a stable address the new primary is used within 2 s', async () => {
  await using set = await startRedisStage()
  const { events, redis, proxy } = set
  const other = await createRedisServer()
  try {
    await other.start()
    await other.run('REPLICAOF', '127.0.0.1', String(redis.port))
    const service = await set.start()
    const stays = await connect(set, service)
    const inSync = async () => Number(await other.run('HLEN', 'lk-jwt:jobs')) === 1
    await eventually(10_000, inSync)
    await other.run('REPLICAOF', 'NO', 'ONE')
    await redis.run('REPLICAOF', '127.0.0.1', String(other.port))
    proxy.leadTo(other.port)
    const switchedAt = performance.now()
    await eventually(5_000, async () => (await call(set).delegate(service)).status === 200)
    expect(performance.now() - switchedAt).toBeLessThan(2_000)
    await Bun.sleep(1.5 * DELAY_MS)
    expect(events.sent(stays.delayId)).toBeUndefined()
    await stays.leave(service)
    expect((await eventually(3_000, () => events.sent(stays.delayId))).by).toBe('service')
    await stopCalmly(service)
  } finally {
    await other.close()
  }
})

test('side by side with lk-jwt-service nobody is lost, whatever it writes', async () => {
  await using set = await startRedisStage()
  const { events, redis } = set
  const service = await set.start()
  const [overwritten, deindexed] = [await connect(set, service), await connect(set, service)]
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
    expect((await eventually(5_000, () => events.sent(caller.delayId))).by).toBe('service')
  }
  expect(service.output()).toContain('the state store has been mended')
  await stopCalmly(service)
})
