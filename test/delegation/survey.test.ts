import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type DelegationStore, StoreUnavailable } from '../../src/delegation/store/store.ts'
import { connected, leaving, NOW, waiting } from '../support/delegations.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { onEveryEngine, openTestStore } from '../support/stores.ts'

const MANY = 2_000
const NONE = { waiting: 0, connected: 0, leaving: 0 }

/** Stores participants, of whom every fourth waits and the others are connected. */
async function fill(store: DelegationStore, count: number): Promise<void> {
  const puts = Array.from({ length: count }, (_, index) => {
    const identity = `@user-${index}:example.org:PHONE`
    const delegation = index % 4 === 0 ? waiting({ identity }) : connected({ identity })
    return store.put(delegation)
  })
  await Promise.all(puts)
}

onEveryEngine((open, engine) => {
  test('an empty store has nothing', async () => {
    const store = await open()
    const empty = { total: 0, due: 0, firstDueAt: undefined, byState: NONE }
    expect(await store.survey(NOW)).toEqual(empty)
  })

  test('counts by state, and what is due', async () => {
    const store = await open()
    await store.put(waiting({ identity: 'a', checkAt: NOW }))
    await store.put(connected({ identity: 'b', checkAt: NOW + 1, restartAt: NOW + 9_000 }))
    await store.put(connected({ identity: 'c', checkAt: NOW + 7_000, restartAt: NOW - 5_000 }))
    await store.put(leaving({ identity: 'd', sendAt: NOW + 2_000 }))
    expect(await store.survey(NOW)).toEqual({
      total: 4,
      due: 2,
      firstDueAt: NOW - 5_000,
      byState: { waiting: 1, connected: 2, leaving: 1 },
    })
    expect(await store.survey(NOW + 1)).toMatchObject({ due: 3 })
  })

  test('does not count what a worker has claimed as due', async () => {
    const store = await open()
    await store.put(waiting({ checkAt: NOW - 1_000 }))
    await store.claimDue(NOW, 10, 10_000)
    const { due, firstDueAt, total } = await store.survey(NOW)
    expect({ due, total }).toEqual({ due: 0, total: 1 })
    expect(firstDueAt).toBeGreaterThan(NOW)
  })

  test('changes nothing', async () => {
    const store = await open()
    await store.put(waiting({ checkAt: NOW }))
    const before = await store.survey(NOW)
    expect(await store.survey(NOW)).toEqual(before)
    expect((await store.claimDue(NOW, 10, 10_000)).claimed).toHaveLength(1)
  })

  test('counts 500 exactly, and estimates more', async () => {
    const store = await open()
    await fill(store, 500)
    expect((await store.survey(NOW)).byState).toEqual({ waiting: 125, connected: 375, leaving: 0 })
    await fill(store, MANY)
    const { total, byState } = await store.survey(NOW)
    expect(total).toBe(MANY)
    expect(byState.waiting + byState.connected).toBe(MANY)
    expect(byState.leaving).toBe(0)
    // Six standard deviations of a sample of 500.
    expect(Math.abs(byState.waiting - MANY / 4)).toBeLessThan(6 * 0.02 * MANY)
  })

  test('another store on the same data sees the same', async () => {
    const [one, two] = [await open(), await open()]
    await one.put(waiting())
    expect(await two.survey(NOW)).toEqual(await one.survey(NOW))
  })

  test('a store that is closed meanwhile is unavailable', async () => {
    const store = await open()
    await fill(store, MANY)
    const outcome = store.survey(NOW).catch((error: unknown) => error)
    await store.close()
    expect(await outcome).toBeInstanceOf(StoreUnavailable)
  })

  test(`${engine.name} says how many replicas use it`, async () => {
    const one = await open()
    const isShared = engine.name === 'Redis'
    expect((await one.heartbeat()).replicas).toBe(isShared ? 1 : undefined)
  })
})

describe('replicas on one Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedisServer()
  })
  afterAll(() => redis.close())

  test('count each other, once each, and forget who is silent for 5 s', async () => {
    const [one, two] = [await openTestStore(redis.url), await openTestStore(redis.url)]
    expect((await one.heartbeat()).replicas).toBe(1)
    expect((await two.heartbeat()).replicas).toBe(2)
    expect((await one.heartbeat()).replicas).toBe(2)
    await two.close()
    const [key = ''] = (await redis.run('KEYS', '*replicas*')) as string[]
    const members = (await redis.run('ZRANGE', key, '0', '-1')) as string[]
    expect(members).toHaveLength(2)
    for (const member of members) await redis.run('ZINCRBY', key, '-6', member)
    expect((await one.heartbeat()).replicas).toBe(1)
    await one.close()
  })
})
