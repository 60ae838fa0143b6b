import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { median } from '../bench/statistics.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import { until } from '../support/until.ts'
import { type Caller, createCaller } from './support/caller.ts'
import { prepareRedisStage, type RedisStage, startRedisStage } from './support/redis-stage.ts'
import { stopCalmly } from './support/stage.ts'

setDefaultTimeout(120_000)

function call(set: RedisStage, delayMs = 20_000): Caller {
  return createCaller({ home: set, sfu: set.sfu, delayMs })
}

async function connect(
  { events }: RedisStage,
  caller: Caller,
  service: ServiceProcess,
): Promise<void> {
  expect((await caller.delegate(service)).status).toBe(200)
  expect((await caller.join(service)).status).toBe(200)
  await until(() => events.restarts(caller.delayId).length > 0)
}

/** What clients and the SFU see while Redis is away. */
async function expectRefusals(
  set: RedisStage,
  service: ServiceProcess,
  leaves: Caller,
): Promise<void> {
  const [delegation, token, webhook, health] = await Promise.all([
    call(set).delegate(service),
    call(set).askForToken(service),
    leaves.leave(service),
    fetch(`${service.url}/healthz`),
  ])
  expect(delegation.status).toBe(503)
  expect(await delegation.json()).toMatchObject({ errcode: 'M_UNKNOWN' })
  expect(token.status).toBe(200)
  expect(webhook.status).toBe(503)
  expect(health.status).toBe(200)
}

/** Back to normal: missed departures are found, connected participants stay, new ones are served. */
async function expectRecovery(
  set: RedisStage,
  service: ServiceProcess,
  left: Caller,
  stays: Caller,
) {
  const { events } = set
  const sent = await until(() => events.sent(left.delayId), 30_000)
  expect(sent.by).toBe('service')
  const newcomer = call(set)
  await until(async () => (await newcomer.delegate(service)).status === 200, 30_000)
  await newcomer.join(service)
  await until(() => events.restarts(newcomer.delayId).length > 0)
  await newcomer.leave(service)
  await until(() => events.sent(newcomer.delayId))
  expect(events.calls('send', stays.delayId)).toEqual([])
  expect(events.sent(stays.delayId)).toBeUndefined()
  await stays.leave(service)
  await until(() => events.sent(stays.delayId))
}

interface Outage {
  readonly name: string
  begin(set: RedisStage): unknown
  end(set: RedisStage): unknown
}

const outages: readonly Outage[] = [
  {
    name: 'is killed and comes back',
    begin: ({ redis }) => redis.kill(),
    end: ({ redis }) => redis.start(),
  },
  {
    name: 'pauses',
    begin: ({ redis }) => redis.run('CLIENT', 'PAUSE', '5000', 'ALL'),
    // A pause ends by itself.
    end: () => {},
  },
  {
    name: 'is cut off without a word',
    begin: ({ proxy }) => proxy.goSilent(),
    end: ({ proxy }) => proxy.heal(),
  },
]

const badStarts: readonly Outage[] = [
  { name: 'does not run', begin: () => {}, end: ({ redis }) => redis.start() },
  {
    name: 'does not answer',
    async begin({ redis, proxy }) {
      await redis.start()
      proxy.goSilent()
    },
    end: ({ proxy }) => proxy.heal(),
  },
]

describe('a service', () => {
  test.concurrent.each(outages)(
    'whose Redis $name refuses, lives on and loses nothing',
    async ({ begin, end }) => {
      await using set = await startRedisStage()
      const service = await set.start()
      const [left, stays] = [call(set), call(set)]
      await connect(set, left, service)
      await connect(set, stays, service)
      await begin(set)
      await expectRefusals(set, service, left)
      await end(set)
      await expectRecovery(set, service, left, stays)
      await stopCalmly(service)
    },
  )

  test.concurrent('whose connections Redis closes reconnects, and misses nothing', async () => {
    await using set = await startRedisStage()
    const { redis, events } = set
    const service = await set.start()
    const stays = call(set)
    await connect(set, stays, service)
    for (let i = 0; i < 5; i++) {
      const left = call(set)
      await connect(set, left, service)
      await redis.run('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await redis.run('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await until(async () => (await left.leave(service)).status === 200)
      const reportedAt = Date.now()
      const sent = await until(() => events.sent(left.delayId))
      expect(sent.by).toBe('service')
      expect(sent.at - reportedAt).toBeLessThan(2_000)
    }
    expect(events.sent(stays.delayId)).toBeUndefined()
    await stopCalmly(service)
  })

  test.concurrent.each(badStarts)(
    'that starts while its Redis $name accepts delegations once Redis is there',
    async ({ begin, end }) => {
      await using set = await prepareRedisStage()
      await begin(set)
      const service = await set.start()
      expect(service.healthyAfterMs).toBeLessThan(5_000)
      const caller = call(set)
      expect((await caller.delegate(service)).status).toBe(503)
      expect((await call(set).askForToken(service)).status).toBe(200)
      await end(set)
      await until(async () => (await caller.delegate(service)).status === 200, 30_000)
      await connect(set, caller, service)
      await caller.leave(service)
      await until(() => set.events.sent(caller.delayId), 6_000)
      await stopCalmly(service)
    },
  )
})

test('after a silent network cut, webhooks reach the other replica at once again', async () => {
  await using set = await startRedisStage()
  const { redis, proxy, events } = set
  const [one, two] = [await set.start(), await set.start()]
  proxy.goSilent()
  const refuses = async (service: ServiceProcess) => (await call(set).leave(service)).status === 503
  await until(() => refuses(one))
  await until(() => refuses(two))
  proxy.heal()
  // The two old ones are still counted.
  await until(async () => {
    const counts = await redis.run('PUBSUB', 'NUMSUB', 'lk-jwt:wake')
    return Array.isArray(counts) && Number(counts[1]) === 4
  }, 30_000)

  await until(async () => (await call(set).delegate(one)).status === 200, 30_000)
  await until(async () => (await call(set).delegate(two)).status === 200, 30_000)
  const tookMs: number[] = []
  for (let i = 0; i < 11; i++) {
    const caller = call(set)
    await connect(set, caller, one)
    await caller.leave(two)
    const reportedAt = Date.now()
    const sent = await until(() => events.sent(caller.delayId), 6_000)
    tookMs.push(sent.at - reportedAt)
  }
  // Without a wake it would poll every 500 ms.
  expect(median(tookMs)).toBeLessThan(100)
  await stopCalmly(one)
  await stopCalmly(two)
})
