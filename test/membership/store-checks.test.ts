import { expect, test } from 'bun:test'
import { admission, onEveryAdmissionStore } from '../support/admission-stores.ts'
import { NOW } from '../support/delegations.ts'

const ROOM = '!room:example.com'
const LEASE = NOW + 1_500
const NOTHING = { rooms: [], nextDueAt: undefined }

await onEveryAdmissionStore((open) => {
  async function openWithRoom(dueAt = NOW) {
    const store = await open()
    await store.put(admission(), 100, NOW, dueAt)
    return store
  }

  test('a room is due when its first token says, whatever later ones say', async () => {
    const store = await openWithRoom(NOW + 60_000.5)
    const bob = admission({ identity: 'bob', userId: '@bob:example.com' })
    for (const at of [NOW, NOW + 90_000]) await store.put(bob, 100, NOW, at)
    const early = await store.claimDue(NOW + 60_000, 9, LEASE)
    expect(early).toEqual({ rooms: [], nextDueAt: NOW + 60_001 })
    expect((await store.claimDue(NOW + 60_001, 9, LEASE + 60_001)).rooms).toEqual([ROOM])
  })

  test('a store without tokens has nothing to check', async () => {
    expect(await (await open()).claimDue(NOW, 9, LEASE)).toEqual(NOTHING)
  })

  test('claims no more than the limit, the longest due first', async () => {
    const store = await open()
    for (const dueAt of [3, 1, 2]) {
      const matrixRoom = `!due in ${dueAt}:example.com`
      await store.put(admission({ room: `r${dueAt}`, matrixRoom }), 100, NOW, NOW + dueAt)
    }
    const first = await store.claimDue(NOW + 10, 2, LEASE)
    expect(first).toEqual({
      rooms: ['!due in 1:example.com', '!due in 2:example.com'],
      nextDueAt: NOW + 3,
    })
    const second = await store.claimDue(NOW + 10, 2, LEASE)
    expect(second).toEqual({ rooms: ['!due in 3:example.com'], nextDueAt: LEASE })
  })

  test('a claimed room is due again when the lease runs out', async () => {
    const [one, two] = [await openWithRoom(), await open()]
    expect((await one.claimDue(NOW, 9, LEASE)).rooms).toEqual([ROOM])
    expect(await two.claimDue(LEASE - 1, 9, LEASE)).toEqual({ rooms: [], nextDueAt: LEASE })
    expect((await two.claimDue(LEASE, 9, LEASE + 1_500)).rooms).toEqual([ROOM])
  })

  test('gives each room to exactly one of several openers', async () => {
    const stores = await Promise.all([open(), open(), open()])
    const rooms = Array.from({ length: 200 }, (_, index) => `!room${index}:example.com`)
    await Promise.all(
      rooms.map((matrixRoom) =>
        stores[0]?.put(admission({ matrixRoom, room: matrixRoom }), 999, NOW, NOW),
      ),
    )
    const claims = Array.from({ length: 60 }, (_, index) =>
      stores[index % 3]?.claimDue(NOW, 5, LEASE),
    )
    const handedOut = (await Promise.all(claims)).flatMap((claim) => claim?.rooms ?? [])
    expect(handedOut.toSorted()).toEqual(rooms.toSorted())
  })

  test('a room that is claimed by name is due when that lease runs out', async () => {
    const store = await openWithRoom(NOW + 60_000)
    await store.claim(ROOM, LEASE)
    expect(await store.claimDue(LEASE - 1, 9, LEASE)).toEqual({ rooms: [], nextDueAt: LEASE })
    expect((await store.claimDue(LEASE, 9, LEASE)).rooms).toEqual([ROOM])
  })

  test('a room without tokens cannot be claimed by name', async () => {
    const store = await open()
    await store.claim('!unknown:example.com', LEASE)
    expect(await store.claimDue(NOW * 2, 9, LEASE)).toEqual(NOTHING)
  })

  test('the owner of the lease moves the next check to any time', async () => {
    const store = await openWithRoom()
    for (const [lease, at] of [
      [LEASE, NOW + 60_000.5],
      [NOW + 70_000, NOW + 65_000],
    ] as const) {
      await store.claimDue(NOW + 60_001, 9, lease)
      await store.reschedule(ROOM, lease, at)
      expect((await store.claimDue(NOW, 9, lease)).nextDueAt).toBe(Math.ceil(at))
    }
  })

  test('whose lease was lost can only bring the next check forward', async () => {
    const store = await openWithRoom()
    await store.claimDue(NOW, 9, LEASE)
    await store.claim(ROOM, LEASE + 1_000)
    await store.reschedule(ROOM, LEASE, NOW + 60_000)
    expect((await store.claimDue(NOW, 9, LEASE)).nextDueAt).toBe(LEASE + 1_000)
    await store.reschedule(ROOM, LEASE, NOW + 1_000)
    expect((await store.claimDue(NOW, 9, LEASE)).nextDueAt).toBe(NOW + 1_000)
  })

  test('a room whose tokens have expired is checked no more, until there is a new one', async () => {
    const store = await openWithRoom()
    await store.claimDue(NOW, 9, LEASE)
    const end = admission().expiresAt
    expect(await store.admissionsIn(ROOM, end)).toEqual([])
    await store.reschedule(ROOM, LEASE, end + 60_000)
    expect(await store.claimDue(NOW * 2, 9, LEASE)).toEqual(NOTHING)
    await store.put(admission({ expiresAt: end + 3_600_000 }), 100, end, end)
    expect((await store.claimDue(end, 9, end + 1_500)).rooms).toEqual([ROOM])
  })

  test('a room that still has one unexpired token is checked on', async () => {
    const store = await openWithRoom()
    await store.put(admission({ identity: 'bob', expiresAt: NOW + 1 }), 100, NOW, NOW)
    await store.claimDue(NOW, 9, LEASE)
    expect(await store.admissionsIn(ROOM, NOW + 1)).toEqual([admission()])
    await store.reschedule(ROOM, LEASE, NOW + 60_000)
    expect((await store.claimDue(NOW, 9, LEASE)).nextDueAt).toBe(NOW + 60_000)
  })
})
