import { Database } from 'bun:sqlite'
import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import type { AdmissionStore } from '../../src/membership/store/admissions.ts'
import { openRedisAdmissions } from '../../src/membership/store/redis-admissions.ts'
import { SqliteAdmissions } from '../../src/membership/store/sqlite-admissions.ts'
import { admission } from '../support/admission-stores.ts'
import { NOW, waiting } from '../support/delegations.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { read } from '../support/stores.ts'

const ROOM = '!room:example.com'
const IN_ROOM = 'lk-jwt:{lk-jwt:jobs}:admitted:!room:example.com'

let redis: RedisServer
let store: AdmissionStore
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'test-admissions-'))
  redis = await startRedisServer()
  store = await openRedisAdmissions({ url: redis.url })
})
afterEach(() => redis.run('FLUSHALL'))
afterAll(async () => {
  await store.close()
  await redis.close()
  await rm(directory, { recursive: true, force: true })
})

test('all keys in Redis begin with "lk-jwt:" and are in one cluster slot', async () => {
  const odd = admission({ matrixRoom: '!{other}:example.com', userId: '@{x}y:example.com' })
  for (const each of [admission(), odd]) await store.put(each, 100, NOW, NOW)
  const keys = (await redis.run('KEYS', '*')) as string[]
  // The first braces decide about the slot.
  expect(keys.toSorted()).toEqual([
    'lk-jwt:{lk-jwt:jobs}:admitted:!room:example.com',
    'lk-jwt:{lk-jwt:jobs}:admitted:!{other}:example.com',
    'lk-jwt:{lk-jwt:jobs}:checks',
    'lk-jwt:{lk-jwt:jobs}:room-of:["room","alice"]',
    'lk-jwt:{lk-jwt:jobs}:tokens:@alice:example.com',
    'lk-jwt:{lk-jwt:jobs}:tokens:@{x}y:example.com',
  ])
})

test('a token in Redis is JSON with the expiry first', async () => {
  await store.put(admission(), 100, NOW, NOW + 60_000)
  expect(await redis.run('HGETALL', IN_ROOM)).toEqual({
    '["room","alice"]':
      '{"expiresAt":1003600000,"room":"room","identity":"alice",' +
      '"matrixRoom":"!room:example.com","userId":"@alice:example.com"}',
  })
  expect(await redis.run('ZRANGE', 'lk-jwt:{lk-jwt:jobs}:checks', '0', '-1', 'WITHSCORES')).toEqual(
    [[ROOM, 1_000_060_000]],
  )
})

test('keys of tokens expire a minute after the last token in them, and no earlier', async () => {
  await store.put(admission({ expiresAt: NOW + 7_200_000 }), 100, NOW, NOW)
  await store.put(admission({ identity: 'bob', expiresAt: NOW + 60_000 }), 100, NOW, NOW)
  const keys = (await redis.run('KEYS', '*')) as string[]
  const ofTokens = keys.filter((key) => !key.endsWith(':checks'))
  const ttl = Object.fromEntries(
    await Promise.all(ofTokens.map(async (key) => [key, Number(await redis.run('TTL', key))])),
  )
  expect(ttl[IN_ROOM]).toBeWithin(7_250, 7_262)
  expect(ttl['lk-jwt:{lk-jwt:jobs}:tokens:@alice:example.com']).toBeWithin(7_250, 7_262)
  expect(ttl['lk-jwt:{lk-jwt:jobs}:room-of:["room","alice"]']).toBeWithin(7_250, 7_262)
  expect(ttl['lk-jwt:{lk-jwt:jobs}:room-of:["room","bob"]']).toBeWithin(110, 122)
})

test('a room leaves nothing behind in Redis when its last token has expired', async () => {
  await store.put(admission({ expiresAt: NOW + 1 }), 100, NOW, NOW)
  await store.claimDue(NOW, 9, NOW + 1_500)
  await store.admissionsIn(ROOM, NOW + 1)
  await store.reschedule(ROOM, NOW + 1_500, NOW + 60_000)
  expect(await redis.run('EXISTS', IN_ROOM, 'lk-jwt:{lk-jwt:jobs}:checks')).toBe(0)
})

for (const [what, value] of [
  ['is no JSON', '{"expiresAt":9999999999,"room'],
  [
    'lacks a user',
    '{"expiresAt":9999999999,"room":"r","identity":"i","matrixRoom":"!room:example.com"}',
  ],
  ['has no expiry', '{"room":"r","identity":"i"}'],
  ['is empty', ''],
] as const) {
  test(`a value in Redis that ${what} is skipped`, async () => {
    await store.put(admission(), 100, NOW, NOW)
    await redis.run('HSET', IN_ROOM, '["room","damaged"]', value)
    await redis.run('SET', 'lk-jwt:{lk-jwt:jobs}:room-of:["room","damaged"]', ROOM)
    expect(await store.admissionsIn(ROOM, NOW)).toEqual([admission()])
    expect(await store.matrixRoomOf({ room: 'room', identity: 'damaged' }, NOW)).toBeUndefined()
    expect((await store.claimDue(NOW, 9, NOW + 1_500)).rooms).toEqual([ROOM])
  })
}

test('delegations and tokens in one SQLite file do not disturb each other', async () => {
  const path = join(directory, 'both.sqlite')
  const [delegations, admissions] = [new SqliteStore(path), new SqliteAdmissions(path)]
  await Promise.all(
    Array.from({ length: 100 }, async (_, index) => {
      const identity = `user ${index}`
      await delegations.put(waiting({ identity, checkAt: NOW }))
      await admissions.put(admission({ identity }), 999, NOW, NOW)
    }),
  )
  expect(await admissions.admissionsIn(ROOM, NOW)).toHaveLength(100)
  expect((await delegations.claimDue(NOW, 999, 1_000)).claimed).toHaveLength(100)
  await admissions.close()
  expect((await read(delegations, waiting({ identity: 'user 7' }))).delegation.state).toBe(
    'waiting',
  )
  await delegations.close()
})

test('a file of the former version opens, and can be opened by it again', async () => {
  const path = join(directory, 'former.sqlite')
  const former = new SqliteStore(path)
  await former.put(waiting())
  await former.close()

  const admissions = new SqliteAdmissions(path)
  await admissions.put(admission(), 100, NOW, NOW)
  await admissions.close()

  const again = new SqliteStore(path)
  expect((await read(again, waiting())).delegation).toEqual(waiting())
  await again.close()
  const database = new Database(path, { readonly: true })
  expect(database.query('PRAGMA user_version').get()).toEqual({ user_version: 2 })
  database.close()
  const reopened = new SqliteAdmissions(path)
  expect(await reopened.admissionsIn(ROOM, NOW)).toEqual([admission()])
  await reopened.close()
})
