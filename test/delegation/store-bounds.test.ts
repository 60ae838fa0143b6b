import { expect, test } from 'bun:test'
import { NOW, waiting } from '../support/delegations.ts'
import { onEveryEngine, read } from '../support/stores.ts'

const ALICE = '@alice:example.org'
const BOUNDS = { perUser: 3, perServer: 5 }

function of(userId: string, number: number, serverName = 'example.org') {
  return waiting({ identity: `${userId} ${number}`, userId, serverName })
}

onEveryEngine((open) => {
  test('accepts delegations of a user up to the limit', async () => {
    const store = await open()
    for (const number of [1, 2, 3]) {
      expect(await store.put(of(ALICE, number), BOUNDS)).toBe('stored')
    }
    expect(await store.put(of(ALICE, 4), BOUNDS)).toBe('user-full')
    expect(await store.find(of(ALICE, 4))).toBeUndefined()
    expect(await store.put(of('@bob:example.org', 1), BOUNDS)).toBe('stored')
  })

  test('replacing a delegation never exceeds the limit', async () => {
    const store = await open()
    for (const number of [1, 2, 3]) await store.put(of(ALICE, number), BOUNDS)
    expect(await store.put({ ...of(ALICE, 2), generation: 'g2' }, BOUNDS)).toBe('stored')
    expect((await read(store, of(ALICE, 2))).delegation.generation).toBe('g2')
  })

  test('an ended delegation makes room', async () => {
    const store = await open()
    for (const number of [1, 2, 3]) await store.put(of(ALICE, number), BOUNDS)
    await store.replace(await read(store, of(ALICE, 1)), undefined, 'quiet')
    expect(await store.put(of(ALICE, 4), BOUNDS)).toBe('stored')
    expect(await store.put(of(ALICE, 5), BOUNDS)).toBe('user-full')
  })

  test('limits all users of a server together, but not those of another', async () => {
    const store = await open()
    for (const user of ['a', 'b', 'c', 'd', 'e']) {
      expect(await store.put(of(`@${user}:example.org`, 1), BOUNDS)).toBe('stored')
    }
    expect(await store.put(of('@f:example.org', 1), BOUNDS)).toBe('server-full')
    const unbounded = { perUser: 3, perServer: undefined }
    expect(await store.put(of('@f:example.org', 1), unbounded)).toBe('stored')
    const elsewhere = of('@a:example.org.uk', 1, 'example.org.uk')
    expect(await store.put(elsewhere, BOUNDS)).toBe('stored')
  })

  test('counts users separately whose names begin alike, quotes included', async () => {
    const store = await open()
    const bounds = { perUser: 1, perServer: undefined }
    for (const userId of ['@a', '@a"', '@a",', '@a","b', '@ä', '@a/\u{10ffff}']) {
      expect(await store.put(of(userId, 1), bounds)).toBe('stored')
      expect(await store.put(of(userId, 2), bounds)).toBe('user-full')
    }
  })

  test('counts a delegation without a user for its server until the user is known', async () => {
    const store = await open()
    const unknown = waiting({ identity: `${ALICE} 1` })
    await store.put(unknown)
    const one = { perUser: 1, perServer: 1 }
    expect(await store.put(of('@bob:example.org', 1), one)).toBe('server-full')
    await store.put(of(ALICE, 1))
    expect(await store.put(of(ALICE, 2), { perUser: 1, perServer: undefined })).toBe('user-full')
    await store.replace(await read(store, unknown), undefined, 'quiet')
    expect(await store.put(of('@bob:example.org', 1), one)).toBe('stored')
  })

  test('keeps the limit under concurrent requests', async () => {
    const stores = await Promise.all([open(), open()])
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, number) => stores[number % 2]?.put(of(ALICE, number), BOUNDS)),
    )
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(3)
  })

  test('restores what is missing or older, and overwrites nothing newer', async () => {
    const store = await open()
    const remembered = waiting({ generation: 'remembered' })
    expect(await store.restore(remembered)).toBe(true)
    expect((await read(store, remembered)).delegation).toEqual(remembered)
    expect(await store.restore(remembered)).toBe(false)
    const later = { ...remembered, deadlineAt: remembered.deadlineAt + 1 }
    expect(await store.restore(later)).toBe(true)
    await store.put(waiting({ generation: 'newer', acceptedAt: NOW }))
    expect(await store.restore(later)).toBe(false)
    expect((await read(store, later)).delegation.generation).toBe('newer')
    await store.put(waiting({ generation: 'older', acceptedAt: NOW - 20_000 }))
    expect(await store.restore(later)).toBe(true)
    expect((await store.claimDue(NOW * 2, 10, 1_000)).claimed).toHaveLength(1)
  })
})
