import { expect, test } from 'bun:test'
import { connected, leaving, NOW, waiting } from '../support/delegations.ts'
import { everythingIn, onEveryEngine, read } from '../support/stores.ts'

onEveryEngine((open) => {
  test('returns what was put, member for member', async () => {
    const store = await open()
    const delegation = connected({ clientApiUrl: 'https://client.example.org', failures: 2 })
    await store.put(delegation)
    expect((await store.find(delegation))?.delegation).toEqual(delegation)
    expect(await store.find({ room: 'room', identity: 'nobody' })).toBeUndefined()
    expect(await store.find({ room: 'nowhere', identity: delegation.identity })).toBeUndefined()
  })

  test('holds one delegation for each participant', async () => {
    const store = await open()
    await store.put(waiting({ generation: 'g1' }))
    await store.put(connected({ generation: 'g2' }))
    expect((await everythingIn(store)).map(({ delegation }) => delegation)).toEqual([
      connected({ generation: 'g2' }),
    ])
    expect(await store.findInRoom('room')).toHaveLength(1)
  })

  test('changes a delegation that is unchanged since it was read', async () => {
    const store = await open()
    await store.put(waiting())
    expect(await store.replace(await read(store, waiting()), connected(), 'quiet')).toBe(true)
    expect((await read(store, waiting())).delegation).toEqual(connected())
  })

  test('removes a delegation that is unchanged since it was read', async () => {
    const store = await open()
    await store.put(waiting())
    expect(await store.replace(await read(store, waiting()), undefined, 'quiet')).toBe(true)
    expect(await store.find(waiting())).toBeUndefined()
    expect(await store.findInRoom('room')).toEqual([])
    expect(await everythingIn(store)).toEqual([])
    expect(await store.claimDue(NOW * 2, 10, 10_000)).toEqual({ claimed: [], nextDueAt: undefined })
  })

  for (const [change, next] of [
    ['change', leaving({ generation: 'g1' })],
    ['removal', undefined],
  ] as const) {
    test(`a ${change} of a replaced delegation does nothing`, async () => {
      const store = await open()
      await store.put(waiting({ generation: 'g1' }))
      const old = await read(store, waiting())
      await (await open()).put(waiting({ generation: 'g2' }))
      expect(await store.replace(old, next, 'wake')).toBe(false)
      expect((await read(store, waiting())).delegation).toEqual(waiting({ generation: 'g2' }))
    })

    test(`a ${change} of a removed delegation does nothing, even when another has come`, async () => {
      const store = await open()
      await store.put(waiting({ generation: 'g1' }))
      const old = await read(store, waiting())
      await store.replace(old, undefined, 'quiet')
      expect(await store.replace(old, next, 'quiet')).toBe(false)
      expect(await store.find(waiting())).toBeUndefined()
      await store.put(waiting({ generation: 'g2' }))
      expect(await store.replace(old, next, 'quiet')).toBe(false)
      expect((await read(store, waiting())).delegation).toEqual(waiting({ generation: 'g2' }))
    })

    test(`a ${change} of a changed delegation does nothing`, async () => {
      const store = await open()
      await store.put(waiting())
      const old = await read(store, waiting())
      await store.replace(old, connected(), 'quiet')
      expect(await store.replace(old, next, 'quiet')).toBe(false)
      expect((await read(store, waiting())).delegation).toEqual(connected())
    })
  }

  test('exactly one of several concurrent changes succeeds', async () => {
    const stores = [await open(), await open()]
    await stores[0]?.put(waiting())
    const changes = Array.from({ length: 40 }, async (_, index) => {
      const store = stores[index % 2] ?? (await open())
      return store.replace(await read(store, waiting()), waiting({ failures: index + 1 }), 'quiet')
    })
    const done = await Promise.all(changes)
    expect(done.filter(Boolean).length).toBeGreaterThan(0)

    const current = await read(await open(), waiting())
    const racers = Array.from({ length: 40 }, (_, index) =>
      (stores[index % 2] ?? stores[0])?.replace(current, connected({ failures: index }), 'quiet'),
    )
    expect((await Promise.all(racers)).filter(Boolean)).toHaveLength(1)
  })
})
