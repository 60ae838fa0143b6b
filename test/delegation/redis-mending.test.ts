import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import type { DelegationStore } from '../../src/delegation/store/store.ts'
import { connected, NOW, waiting } from '../support/delegations.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { everythingIn, openTestStore } from '../support/stores.ts'

let redis: RedisServer
let store: DelegationStore

beforeAll(async () => {
  redis = await startRedisServer()
  store = await openTestStore(redis.url)
  await store.mend()
})
afterEach(() => redis.run('FLUSHALL'))
afterAll(async () => {
  await store.close()
  await redis.close()
})

const JOBS = 'lk-jwt:jobs'
const DUE = 'lk-jwt:{lk-jwt:jobs}:due'
const USERS = 'lk-jwt:{lk-jwt:jobs}:users'
const FIELD = '["room","@alice:example.org:PHONE"]'
const NOTHING = { indexed: 0, adopted: 0, removed: 0 }

const GO_ENTRY = JSON.stringify({
  Params: {
    DelayId: 'delay-go',
    DelayTimeout: 30_000_000_000,
    ServerName: 'example.org',
    LiveKitRoom: 'room',
    LiveKitIdentity: '@alice:example.org:PHONE',
  },
  RestartedAt: new Date(NOW - 5_000).toISOString(),
})

/** One heartbeat, which `compare` turns into one at which it is not yet time to compare. */
async function needsMending(): Promise<boolean> {
  await redis.run('HSET', 'lk-jwt:{lk-jwt:jobs}:store', 'comparedAt', String(seconds()))
  return (await store.heartbeat()).needsMending
}

function seconds(): number {
  return Math.floor(Date.now() / 1000)
}

async function claimed() {
  return (await store.claimDue(NOW * 2, 10, 10_000)).claimed.map(({ delegation }) => delegation)
}

test('an intact store is compared only once a minute', async () => {
  await store.put(waiting())
  expect(await needsMending()).toBe(false)
  await redis.run('HSET', 'lk-jwt:{lk-jwt:jobs}:store', 'comparedAt', String(seconds() - 61))
  expect(await store.heartbeat()).toMatchObject({ needsMending: true })
  expect(await store.heartbeat()).toMatchObject({ needsMending: false })
  expect(await store.mend()).toEqual(NOTHING)
})

test('the next heartbeat notices a lost index, and mending rebuilds it', async () => {
  const all = [waiting(), connected({ identity: 'bob' })]
  for (const delegation of all) await store.put(delegation)
  await redis.run('DEL', DUE)
  expect(await claimed()).toEqual([])
  expect(await needsMending()).toBe(true)
  expect(await store.mend()).toEqual({ ...NOTHING, indexed: 2 })
  expect(await needsMending()).toBe(false)
  expect((await claimed()).toSorted((a, b) => a.state.localeCompare(b.state))).toEqual(
    all.toSorted((a, b) => a.state.localeCompare(b.state)),
  )
})

test('rebuilds a lost user index', async () => {
  const userId = '@alice:example.org'
  await store.put(waiting({ userId }))
  await redis.run('DEL', USERS)
  expect(await needsMending()).toBe(true)
  await store.mend()
  const another = waiting({ userId, identity: 'another' })
  expect(await store.put(another, { perUser: 1, perServer: undefined })).toBe('user-full')
})

test('removes stale members of the user index', async () => {
  await store.put(waiting({ userId: '@alice:example.org' }))
  await redis.run('HDEL', JOBS, FIELD)
  await store.mend()
  expect(await redis.run('ZCARD', USERS)).toBe(0)
})

test('a delegation that lk-jwt-service has overwritten is adopted when it is claimed', async () => {
  await store.put(connected({ restartAt: NOW, generation: 'ours' }))
  await redis.run('HSET', JOBS, FIELD, GO_ENTRY)
  const [adopted] = await claimed()
  expect(adopted).toMatchObject({ delayId: 'delay-go', delayMs: 30_000 })
  expect(adopted?.generation).not.toBe('ours')
  const stored = (await everythingIn(store)).map(({ delegation }) => delegation)
  expect(stored).toEqual(adopted === undefined ? [] : [adopted])
})

test('an entry that lk-jwt-service has added is adopted with the next heartbeat', async () => {
  await redis.run('HSET', JOBS, FIELD, GO_ENTRY)
  expect(await needsMending()).toBe(true)
  expect(await store.mend()).toEqual({ ...NOTHING, adopted: 1 })
  expect(await needsMending()).toBe(false)
  expect(await claimed()).toHaveLength(1)
})

test('leaves foreign entries in the hash alone, after one look', async () => {
  await redis.run('HSET', JOBS, 'other', 'not ours', '["a","b"]', '{"Params":7}')
  expect(await needsMending()).toBe(true)
  expect(await store.mend()).toEqual(NOTHING)
  expect(await redis.run('HLEN', JOBS)).toBe(2)
  expect(await redis.run('ZCARD', DUE)).toBe(0)
  expect(await needsMending()).toBe(false)
  await redis.run('DEL', JOBS)
  await store.mend()
})

for (const [what, ruin] of [
  ['is cut off', (text: string) => text.slice(0, -20)],
  ['holds half a surrogate pair', (text: string) => text.replace('delay-1', 'delay-\\ud83d')],
  [
    'has a time beyond all dates',
    (text: string) => text.replace('"deadlineAt":', '"deadlineAt":9e9'),
  ],
  ['has a user ID that is no text', (text: string) => text.replace('{', '{"userId":7,')],
  ['lacks a time', (text: string) => text.replace('"deadlineAt"', '"d"')],
] as const) {
  test(`removes and reports a record of ours that ${what}`, async () => {
    await store.put(waiting({ checkAt: NOW }))
    await store.put(waiting({ identity: 'bob', checkAt: NOW }))
    const text = String(await redis.run('HGET', JOBS, FIELD))
    await redis.run('HSET', JOBS, FIELD, ruin(text))
    await redis.run('DEL', DUE)
    expect(await store.mend()).toEqual({ ...NOTHING, indexed: 1, removed: 1 })
    expect(await redis.run('HKEYS', JOBS)).toEqual(['["room","bob"]'])
    expect((await claimed()).map(({ identity }) => identity)).toEqual(['bob'])
  })
}

test('removes an unreadable due record without stopping the others', async () => {
  await store.put(waiting({ checkAt: NOW - 1 }))
  await store.put(waiting({ identity: 'bob', checkAt: NOW }))
  await redis.run('HSET', JOBS, FIELD, '{"generation":"g1"')
  expect((await claimed()).map(({ identity }) => identity)).toEqual(['bob'])
  expect(await redis.run('HKEYS', JOBS)).toEqual(['["room","bob"]'])
})

test('takes over data of the first layout, and drops its indexes', async () => {
  await redis.run('HSET', JOBS, FIELD, JSON.stringify(connected()))
  await redis.run('ZADD', 'lk-jwt:due', String(NOW), FIELD)
  await redis.run('ZADD', 'lk-jwt:rooms', '0', FIELD)
  await redis.run('SET', 'lk-jwt:schema', '1')
  const later = await openTestStore(redis.url)
  expect(await later.heartbeat()).toMatchObject({ needsMending: true })
  expect(await later.mend()).toEqual({ ...NOTHING, indexed: 1 })
  expect((await later.claimDue(NOW * 2, 10, 1_000)).claimed[0]?.delegation).toEqual(connected())
  expect(await redis.run('GET', 'lk-jwt:schema')).toBe('2')
  expect(await redis.run('EXISTS', 'lk-jwt:due', 'lk-jwt:rooms')).toBe(0)
  await later.close()
})

test('notices a store that came back empty or older', async () => {
  expect(await store.heartbeat()).toBeDefined()
  expect(await store.heartbeat()).toMatchObject({ hasKeptData: true })
  await redis.run('FLUSHALL')
  expect(await store.heartbeat()).toMatchObject({ hasKeptData: false })
  expect(await store.heartbeat()).toMatchObject({ hasKeptData: true })
  await redis.run('HINCRBY', 'lk-jwt:{lk-jwt:jobs}:store', 'beats', '-2')
  expect(await store.heartbeat()).toMatchObject({ hasKeptData: false })
})

test('every heartbeat returns the time of Redis', async () => {
  const { time } = await store.heartbeat()
  expect(Math.abs(Number(time) - Date.now())).toBeLessThan(1_000)
})
