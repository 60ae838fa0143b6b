import { expect, test } from 'bun:test'
import type { ParticipantKey } from '../../src/delegation/life/record.ts'
import { NOW, waiting } from '../support/delegations.ts'
import { createRandom } from '../support/random.ts'
import { everythingIn, onEveryEngine, read } from '../support/stores.ts'

const NAMES = [
  'room',
  'room2',
  'roo',
  'room"',
  'room","x',
  'room\\',
  'room\\"',
  'room]',
  '["room"]',
  'room,',
  'room ',
  ' room',
  'Room',
  'róom',
  'room\u00ff',
  'room\u{10ffff}',
  'комната',
  '部屋',
  'room\t\n\u0001',
  '<room>&\u2028',
  '%room_',
  '*room?',
]

function keysOf(found: readonly { readonly delegation: ParticipantKey }[]): string[] {
  return found
    .map(({ delegation }) => JSON.stringify([delegation.room, delegation.identity]))
    .sort()
}

onEveryEngine((open) => {
  test('finds exactly the delegations of a room, whatever the names', async () => {
    const store = await open()
    for (const room of NAMES) {
      for (const identity of NAMES) await store.put(waiting({ room, identity }))
    }
    for (const room of NAMES) {
      const expected = NAMES.map((identity) => JSON.stringify([room, identity])).sort()
      expect(keysOf(await store.findInRoom(room))).toEqual(expected)
    }
    for (const identity of NAMES) {
      expect((await read(store, { room: 'room"', identity })).delegation.identity).toBe(identity)
    }
    expect(await store.findInRoom('room"]')).toEqual([])
    expect(await store.findInRoom('')).toEqual([])
  })

  test('a delegation found by room can be changed like one that was read', async () => {
    const store = await open()
    await store.put(waiting())
    const [found] = await store.findInRoom('room')
    expect(found).toEqual(await read(store, waiting()))
  })

  test('finds, claims in order and removes 10,000 delegations', async () => {
    const store = await open()
    const random = createRandom(10_000)
    const identities = Array.from({ length: 10_000 }, (_, index) => `identity ${index}`)
    for (let start = 0; start < identities.length; start += 500) {
      const batch = identities.slice(start, start + 500)
      await Promise.all(
        batch.map((identity, index) => {
          const room = `room ${(start + index) % 100}`
          const checkAt = NOW - 1 - Math.floor(random() * 20_000)
          return store.put(waiting({ room, identity, checkAt }))
        }),
      )
    }
    expect(new Set(keysOf(await everythingIn(store))).size).toBe(10_000)
    expect(await store.findInRoom('room 7')).toHaveLength(100)

    const times: number[] = []
    for (let claims = 0; claims < 20; claims += 1) {
      const { claimed } = await store.claimDue(NOW, 500, 10_000)
      for (const { delegation } of claimed) {
        if (delegation.state === 'waiting') times.push(delegation.checkAt)
      }
    }
    expect(times).toHaveLength(10_000)
    expect(times).toEqual(times.toSorted((one, other) => one - other))

    await store.scan(async (batch) => {
      await Promise.all(batch.map((stored) => store.replace(stored, undefined, 'quiet')))
    })
    expect(await everythingIn(store)).toEqual([])
  })
})
