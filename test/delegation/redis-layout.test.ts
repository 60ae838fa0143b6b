import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import type { DelegationStore } from '../../src/delegation/store/store.ts'
import { NOW, waiting } from '../support/delegations.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { everythingIn, openTestStore, read } from '../support/stores.ts'

let redis: RedisServer
let store: DelegationStore

beforeAll(async () => {
  redis = await startRedisServer()
  store = await openTestStore(redis.url)
})
afterEach(() => redis.run('FLUSHALL'))
afterAll(async () => {
  await store.close()
  await redis.close()
})

const FIELD = '["room","@alice:example.org:PHONE"]'

const GO_PARAMS = {
  DelayId: 'delay-go',
  DelayTimeout: 30_000_000_000,
  ServerName: 'example.org',
  LiveKitRoom: 'room',
  LiveKitIdentity: '@alice:example.org:PHONE',
}

function goEntry(overrides: object = {}, params: object = {}): string {
  return JSON.stringify({ Params: { ...GO_PARAMS, ...params }, ...overrides })
}

/** The stored delegations after the hash was compared with its indexes. */
async function afterMending() {
  await store.mend()
  return everythingIn(store)
}

async function jobs(): Promise<unknown> {
  return redis.run('HGETALL', 'lk-jwt:jobs')
}

test('a delegation is one JSON value in the hash, by the JSON array of room and identity', async () => {
  await store.put(waiting({ userId: '@alice:example.org' }))
  expect(await jobs()).toEqual({
    [FIELD]:
      '{"Params":{"DelayId":"delay-1","DelayTimeout":30000000000,"ServerName":"example.org",' +
      '"LiveKitRoom":"room","LiveKitIdentity":"@alice:example.org:PHONE"},' +
      '"RestartedAt":"1970-01-12T13:46:30.000Z","generation":"g1","acceptedAt":999990000,' +
      '"deadlineAt":1000020000,"failures":0,"waitUntil":1000020000,"checkAt":1000001000,' +
      '"userId":"@alice:example.org","state":"waiting"}',
  })
  expect(await redis.run('ZRANGE', 'lk-jwt:{lk-jwt:jobs}:due', '0', '-1', 'WITHSCORES')).toEqual([
    [FIELD, 1_000_001_000],
  ])
  expect(await redis.run('ZRANGE', 'lk-jwt:{lk-jwt:jobs}:rooms', '0', '-1')).toEqual([FIELD])
  expect(await redis.run('ZRANGE', 'lk-jwt:{lk-jwt:jobs}:users', '0', '-1')).toEqual([
    JSON.stringify(['example.org', '@alice:example.org', FIELD]),
  ])
})

test('a delegation that ends leaves nothing behind', async () => {
  await store.put(waiting())
  await store.replace(await read(store, waiting()), undefined, 'wake')
  expect(await redis.run('KEYS', '*')).toEqual([])
})

test('a new connection writes the version of the layout', async () => {
  const another = await openTestStore(redis.url)
  expect(await redis.run('GET', 'lk-jwt:schema')).toBe('2')
  await another.close()
})

test('scripts that Redis has forgotten are sent again', async () => {
  await store.put(waiting())
  await redis.run('SCRIPT', 'FLUSH')
  expect((await store.claimDue(NOW + 1_000, 1, 1_000)).claimed).toHaveLength(1)
})

for (const RestartedAt of [undefined, '0001-01-01T00:00:00Z']) {
  test(`an entry of lk-jwt-service, restarted at ${RestartedAt}, is adopted as waiting`, async () => {
    await redis.run('HSET', 'lk-jwt:jobs', FIELD, goEntry({ RestartedAt }))
    const expected = waiting({
      generation: expect.any(String),
      delayId: 'delay-go',
      acceptedAt: NOW,
      deadlineAt: NOW + 30_000,
      waitUntil: NOW + 30_000,
      checkAt: NOW,
      restartAt: NOW + 3_000,
    })
    expect((await afterMending()).map(({ delegation }) => delegation)).toEqual([expected])
    const { claimed } = await store.claimDue(NOW, 10, 10_000)
    expect(claimed.map(({ delegation }) => delegation)).toEqual([expected])
    expect(await store.findInRoom('room')).toHaveLength(1)
  })
}

test('adopts an entry with a restarted event as waiting, with its own deadline', async () => {
  // 18 s before now, which leaves 12 s.
  const RestartedAt = '1970-01-12T13:46:22.000000001Z'
  await redis.run('HSET', 'lk-jwt:jobs', FIELD, goEntry({ RestartedAt }))
  const [adopted] = await afterMending()
  expect(adopted?.delegation).toEqual(
    waiting({
      generation: expect.any(String),
      delayId: 'delay-go',
      acceptedAt: NOW,
      deadlineAt: NOW + 12_000,
      waitUntil: NOW + 12_000,
      checkAt: NOW,
      restartAt: NOW + 3_000,
    }),
  )
})

test('removes an entry whose deadline has passed', async () => {
  const RestartedAt = '1970-01-12T13:46:10Z'
  await redis.run('HSET', 'lk-jwt:jobs', FIELD, goEntry({ RestartedAt }))
  expect(await afterMending()).toEqual([])
  expect(await jobs()).toEqual({})
})

for (const value of [
  'not JSON',
  '[]',
  'null',
  '{}',
  goEntry({ Params: null }),
  goEntry({}, { DelayId: '' }),
  goEntry({}, { DelayTimeout: 0 }),
  goEntry({}, { DelayTimeout: -30_000_000_000 }),
  goEntry({}, { DelayTimeout: '30s' }),
  goEntry({}, { DelayTimeout: 1e300 }),
  goEntry({}, { LiveKitIdentity: 7 }),
]) {
  test(`an entry that cannot be understood is left alone: ${value}`, async () => {
    const other = goEntry({}, { LiveKitRoom: 'r', LiveKitIdentity: 'i' })
    await redis.run('HSET', 'lk-jwt:jobs', FIELD, value, '["r","i"]', other)
    expect(await afterMending()).toHaveLength(1)
    expect(await redis.run('HGET', 'lk-jwt:jobs', FIELD)).toBe(value)
  })
}

test('an entry whose name is escaped as Go does it is adopted under ours', async () => {
  const LiveKitIdentity = '@alice:example.org:<A&B>'
  const escaped = '["room","@alice:example.org:\\u003cA\\u0026B\\u003e"]'
  await redis.run('HSET', 'lk-jwt:jobs', escaped, goEntry({}, { LiveKitIdentity }))
  await afterMending()
  expect(Object.keys((await jobs()) as object)).toEqual(['["room","@alice:example.org:<A&B>"]'])
  const stored = await read(store, { room: 'room', identity: LiveKitIdentity })
  expect(await store.replace(stored, undefined, 'quiet')).toBe(true)
  expect(await store.claimDue(NOW * 2, 10, 1_000)).toEqual({ claimed: [], nextDueAt: undefined })
})

test('an entry whose name is escaped does not take the place of a delegation', async () => {
  await store.put(waiting({ identity: '<A>' }))
  const escaped = goEntry({}, { LiveKitIdentity: '<A>' })
  await redis.run('HSET', 'lk-jwt:jobs', '["room","\\u003cA\\u003e"]', escaped)
  const found = await afterMending()
  expect(found.map(({ delegation }) => delegation)).toEqual([waiting({ identity: '<A>' })])
  expect(Object.keys((await jobs()) as object)).toEqual(['["room","<A>"]'])
})

test('an entry that another program overwrote does not stop the others', async () => {
  for (const [index, value] of ['not JSON', '7', '{}', goEntry()].entries()) {
    const identity = `overwritten ${index}`
    await store.put(waiting({ identity, checkAt: NOW - 100 }))
    await redis.run('HSET', 'lk-jwt:jobs', JSON.stringify(['room', identity]), value)
  }
  await store.put(waiting({ identity: 'ours', checkAt: NOW }))
  const { claimed } = await store.claimDue(NOW, 10, 10_000)
  const identities = claimed.map(({ delegation }) => delegation.identity)
  expect(identities).toEqual(['@alice:example.org:PHONE', 'ours'])
  expect(await redis.run('HLEN', 'lk-jwt:jobs')).toBe(5)
})

test('an entry is adopted once by replicas that start at the same time', async () => {
  await redis.run('HSET', 'lk-jwt:jobs', FIELD, goEntry())
  const another = await openTestStore(redis.url)
  const found = await Promise.all([
    afterMending(),
    another.mend().then(() => everythingIn(another)),
  ])
  const current = await read(store, waiting())
  expect(found.flat().map(({ text }) => text)).toContain(current.text)
  expect(await redis.run('ZCARD', 'lk-jwt:{lk-jwt:jobs}:due')).toBe(1)
  await another.close()
})
