import { expect, test } from 'bun:test'
import { admission, onEveryAdmissionStore } from '../support/admission-stores.ts'
import { NOW } from '../support/delegations.ts'

const ROOM = '!room:example.com'
const HOUR_MS = 3_600_000

function byIdentity(a: { identity: string }, b: { identity: string }): number {
  return a.identity.localeCompare(b.identity)
}

await onEveryAdmissionStore((open) => {
  test('remembers tokens by Matrix room', async () => {
    const store = await open()
    const bob = admission({ identity: 'bob', userId: '@bob:example.com', room: 'other slot' })
    const elsewhere = admission({ room: 'r2', matrixRoom: '!r2:example.com' })
    for (const each of [admission(), bob, elsewhere]) {
      expect(await store.put(each, 100, NOW, NOW)).toBe('stored')
    }
    const found = await store.admissionsIn(ROOM, NOW)
    expect(found.toSorted(byIdentity)).toEqual([admission(), bob])
    expect(await store.admissionsIn('!r2:example.com', NOW)).toEqual([elsewhere])
    expect(await store.admissionsIn('!unknown:example.com', NOW)).toEqual([])
  })

  for (const [what, first, second] of [
    ['earlier', NOW + HOUR_MS, NOW + 60_000],
    ['later', NOW + 60_000, NOW + HOUR_MS],
  ] as const) {
    test(`a token of the same participant with an ${what} expiry replaces the former; the later counts`, async () => {
      const store = await open()
      expect(await store.put(admission({ expiresAt: first }), 1, NOW, NOW)).toBe('stored')
      expect(await store.put(admission({ expiresAt: second }), 1, NOW, NOW)).toBe('renewed')
      expect(await store.admissionsIn(ROOM, NOW)).toEqual([admission()])
      expect(await store.admissionsIn(ROOM, NOW + HOUR_MS - 1)).toEqual([admission()])
      expect(await store.admissionsIn(ROOM, NOW + HOUR_MS)).toEqual([])
    })
  }

  test('refuses a user more than the limit, but not a replacement or another user', async () => {
    const store = await open()
    const of = (number: number) => admission({ identity: `a${number}`, room: `r${number}` })
    for (const number of [1, 2, 3]) expect(await store.put(of(number), 3, NOW, NOW)).toBe('stored')
    expect(await store.put(of(4), 3, NOW, NOW)).toBe('user-full')
    expect(await store.put(of(2), 3, NOW, NOW)).toBe('renewed')
    const bob = admission({ identity: 'bob', userId: '@bob:example.com' })
    expect(await store.put(bob, 3, NOW, NOW)).toBe('stored')
    expect(await store.matrixRoomOf(of(4), NOW)).toBeUndefined()
    expect(await store.matrixRoomOf(of(1), NOW)).toBe(ROOM)
  })

  test('a user has room again when a token has expired', async () => {
    const store = await open()
    await store.put(admission({ identity: 'short', expiresAt: NOW + 1_000 }), 2, NOW, NOW)
    await store.put(admission({ identity: 'long' }), 2, NOW, NOW)
    const another = admission({ identity: 'another' })
    expect(await store.put(another, 2, NOW + 999, NOW)).toBe('user-full')
    expect(await store.put(another, 2, NOW + 1_000, NOW)).toBe('stored')
  })

  test('forgets a token that was not handed out, and it counts no more', async () => {
    const store = await open()
    await store.put(admission(), 1, NOW, NOW)
    await store.forget(admission())
    expect(await store.admissionsIn(ROOM, NOW)).toEqual([])
    expect(await store.matrixRoomOf(admission(), NOW)).toBeUndefined()
    expect(await store.put(admission({ identity: 'another' }), 1, NOW, NOW)).toBe('stored')
  })

  test('does not forget the token that has taken its place', async () => {
    const store = await open()
    await store.put(admission(), 1, NOW, NOW)
    const later = admission({ expiresAt: NOW + 2 * HOUR_MS })
    await store.put(later, 1, NOW, NOW)
    await store.forget(admission())
    expect(await store.admissionsIn(ROOM, NOW)).toEqual([later])
  })

  test('keeps the limit under concurrent requests', async () => {
    const stores = await Promise.all([open(), open()])
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, number) => {
        return stores[number % 2]?.put(admission({ identity: `a${number}` }), 3, NOW, NOW)
      }),
    )
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(3)
  })

  test('knows the Matrix room of a participant until their token expires', async () => {
    const store = await open()
    await store.put(admission(), 100, NOW, NOW)
    expect(await store.matrixRoomOf({ room: 'room', identity: 'alice' }, NOW)).toBe(ROOM)
    expect(await store.matrixRoomOf({ room: 'room', identity: 'bob' }, NOW)).toBeUndefined()
    expect(await store.matrixRoomOf({ room: 'r2', identity: 'alice' }, NOW)).toBeUndefined()
    const atEnd = NOW + HOUR_MS
    expect(await store.matrixRoomOf(admission(), atEnd - 1)).toBe(ROOM)
    expect(await store.matrixRoomOf(admission(), atEnd)).toBeUndefined()
  })

  test('another store on the same data sees the same', async () => {
    const [one, two] = [await open(), await open()]
    await one.put(admission(), 100, NOW, NOW)
    expect(await two.admissionsIn(ROOM, NOW)).toEqual([admission()])
    expect(await two.matrixRoomOf(admission(), NOW)).toBe(ROOM)
  })

  test('takes whatever is in the names of rooms and users', async () => {
    const store = await open()
    const odd = admission({
      room: 'quo"te',
      identity: 'änd\u{10ffff}',
      matrixRoom: '!"\\{lk}\n:example.com',
      userId: `@'";:example.com`,
    })
    await store.put(odd, 100, NOW, NOW)
    expect(await store.matrixRoomOf(odd, NOW)).toBe('!"\\{lk}\n:example.com')
    expect(await store.admissionsIn('!"\\{lk}\n:example.com', NOW)).toEqual([odd])
    expect((await store.claimDue(NOW, 9, NOW + 1)).rooms).toEqual(['!"\\{lk}\n:example.com'])
  })
})
