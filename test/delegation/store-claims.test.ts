import { expect, test } from 'bun:test'
import type { Delegation } from '../../src/delegation/life/record.ts'
import type { Claim } from '../../src/delegation/store/store.ts'
import { connected, NOW, waiting } from '../support/delegations.ts'
import { onEveryEngine, read } from '../support/stores.ts'

const MAX_LEASE_MS = 10_000

function dueIn(ms: number, overrides: { identity?: string; delayMs?: number } = {}): Delegation {
  return waiting({ identity: `due in ${ms}`, checkAt: NOW + ms, ...overrides })
}

function identitiesOf({ claimed }: Claim): string[] {
  return claimed.map(({ delegation }) => delegation.identity)
}

onEveryEngine((open) => {
  test('claims due delegations in order of time, and returns when the next is due', async () => {
    const store = await open()
    for (const ms of [-10, 1_000, -30, 0, 50.25, -20]) await store.put(dueIn(ms))
    const first = await store.claimDue(NOW, 10, MAX_LEASE_MS)
    expect(identitiesOf(first)).toEqual(['due in -30', 'due in -20', 'due in -10', 'due in 0'])
    expect(first.nextDueAt).toBe(NOW + 51)
    expect(identitiesOf(await store.claimDue(NOW + 51, 10, MAX_LEASE_MS))).toEqual(['due in 50.25'])
  })

  test('claims no more than the limit', async () => {
    const store = await open()
    for (const ms of [-3, -2, -1]) await store.put(dueIn(ms))
    const first = await store.claimDue(NOW, 2, MAX_LEASE_MS)
    expect(identitiesOf(first)).toEqual(['due in -3', 'due in -2'])
    expect(first.nextDueAt).toBe(NOW - 1)
    expect(identitiesOf(await store.claimDue(NOW, 2, MAX_LEASE_MS))).toEqual(['due in -1'])
  })

  test('a claimed delegation can be changed like one that was read', async () => {
    const store = await open()
    await store.put(dueIn(0))
    const { claimed } = await store.claimDue(NOW, 1, MAX_LEASE_MS)
    expect(claimed[0]).toEqual(await read(store, dueIn(0)))
  })

  for (const [delayMs, lease] of [
    [100, 100],
    [30_000, 1_200],
    [3_600_000, 10_000],
  ] as const) {
    test(`a delay of ${delayMs} ms is leased for ${lease} ms, and then due again`, async () => {
      const store = await open()
      await store.put(dueIn(0, { delayMs, identity: 'it' }))
      const first = await store.claimDue(NOW, 10, MAX_LEASE_MS)
      expect(identitiesOf(first)).toEqual(['it'])
      expect(first.nextDueAt).toBe(NOW + lease)
      expect((await store.claimDue(NOW + lease - 1, 10, MAX_LEASE_MS)).claimed).toEqual([])
      expect(identitiesOf(await store.claimDue(NOW + lease, 10, MAX_LEASE_MS))).toEqual(['it'])
    })
  }

  test('a change ends the lease', async () => {
    const store = await open()
    await store.put(dueIn(0, { identity: 'it' }))
    const { claimed } = await store.claimDue(NOW, 1, MAX_LEASE_MS)
    const [stored] = claimed
    if (stored === undefined) throw new Error('nothing was claimed')
    await store.replace(stored, connected({ identity: 'it', restartAt: NOW }), 'quiet')
    expect(identitiesOf(await store.claimDue(NOW, 1, MAX_LEASE_MS))).toEqual(['it'])
  })

  test('a change can keep a running lease, and is due at once without one', async () => {
    const store = await open()
    const change = { failures: 1, restartAt: NOW, checkAt: NOW }
    await store.put(dueIn(0, { identity: 'at work' }))
    const [atWork] = (await store.claimDue(NOW, 1, MAX_LEASE_MS)).claimed
    if (atWork === undefined) throw new Error('nothing was claimed')
    const idle = dueIn(60_000, { identity: 'idle' })
    await store.put(idle)
    for (const stored of [atWork, await read(store, idle)]) {
      const { identity } = stored.delegation
      const next = connected({ identity, ...change })
      expect(await store.replace(stored, next, 'keep-lease')).toBe(true)
    }
    expect(identitiesOf(await store.claimDue(NOW, 2, MAX_LEASE_MS))).toEqual(['idle'])
  })

  test('a new delegation of the same participant ends the lease', async () => {
    const store = await open()
    await store.put(dueIn(0, { identity: 'it' }))
    await store.claimDue(NOW, 1, MAX_LEASE_MS)
    await store.put({ ...dueIn(0, { identity: 'it' }), generation: 'g2' })
    expect(identitiesOf(await store.claimDue(NOW, 1, MAX_LEASE_MS))).toEqual(['it'])
  })

  test('a postponed delegation is due then, and not earlier', async () => {
    const store = await open()
    await store.put(dueIn(0, { identity: 'it' }))
    await store.postpone(await read(store, dueIn(0, { identity: 'it' })), NOW + 500.5)
    const first = await store.claimDue(NOW + 500, 1, MAX_LEASE_MS)
    expect(first).toEqual({ claimed: [], nextDueAt: NOW + 501 })
    expect(identitiesOf(await store.claimDue(NOW + 501, 1, MAX_LEASE_MS))).toEqual(['it'])
  })

  test('does not postpone what was changed, replaced or removed', async () => {
    const store = await open()
    const it = dueIn(0, { identity: 'it' })
    await store.put(it)
    const old = await read(store, it)
    await store.replace(old, { ...it, failures: 1 }, 'quiet')
    await store.postpone(old, NOW + 500)
    expect(identitiesOf(await store.claimDue(NOW, 1, MAX_LEASE_MS))).toEqual(['it'])

    await store.put({ ...it, generation: 'g2' })
    await store.postpone(old, NOW + 500)
    const second = await store.claimDue(NOW, 1, MAX_LEASE_MS)
    expect(second.claimed[0]?.delegation.generation).toBe('g2')

    await store.replace(await read(store, it), undefined, 'quiet')
    await store.postpone(old, NOW + 500)
    expect((await store.claimDue(NOW + 1_000, 1, MAX_LEASE_MS)).nextDueAt).toBeUndefined()
  })

  test('a clock set back delays due times, one set forward advances them', async () => {
    const store = await open()
    await store.put(dueIn(0, { identity: 'it' }))
    expect((await store.claimDue(NOW - 3_600_000, 10, MAX_LEASE_MS)).claimed).toEqual([])
    expect(identitiesOf(await store.claimDue(NOW + 3_600_000, 10, MAX_LEASE_MS))).toEqual(['it'])
    const back = await store.claimDue(NOW, 10, MAX_LEASE_MS)
    expect(back).toEqual({ claimed: [], nextDueAt: NOW + 3_600_000 + 1_200 })
    const again = await store.claimDue(NOW + 3_601_200, 10, MAX_LEASE_MS)
    expect(identitiesOf(again)).toEqual(['it'])
  })

  test('gives each delegation to one of several concurrent workers', async () => {
    const stores = await Promise.all([open(), open(), open()])
    const all = Array.from({ length: 500 }, (_, index) => `identity ${index}`)
    await Promise.all(all.map((identity) => stores[0]?.put(dueIn(-1, { identity }))))
    const claims = Array.from({ length: 60 }, (_, index) =>
      stores[index % 3]?.claimDue(NOW, 10, MAX_LEASE_MS),
    )
    const handedOut = (await Promise.all(claims)).flatMap((claim) =>
      claim ? identitiesOf(claim) : [],
    )
    expect(handedOut).toHaveLength(500)
    expect(new Set(handedOut).size).toBe(500)
  })
})
