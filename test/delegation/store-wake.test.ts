import { expect, test } from 'bun:test'
import type { ParticipantKey } from '../../src/delegation/life/record.ts'
import { leaving, NOW, waiting } from '../support/delegations.ts'
import { onEveryEngine, read } from '../support/stores.ts'
import { until } from '../support/until.ts'

const KEY = { room: 'room', identity: '@alice:example.org:PHONE' }

onEveryEngine((open, { wakesOthers }) => {
  test('wakes listeners here and at other replicas within 100 ms', async () => {
    const [here, other] = [await open(), await open()]
    const woken: { readonly by: string; readonly key: ParticipantKey | undefined }[] = []
    here.onWake((key) => woken.push({ by: 'here', key }))
    if (wakesOthers) other.onWake((key) => woken.push({ by: 'other', key }))
    const listeners = wakesOthers ? ['here', 'other'] : ['here']

    for (const change of [
      () => here.put(waiting()),
      async () => here.replace(await read(here, KEY), leaving({ sendAt: NOW }), 'wake'),
      async () => here.replace(await read(here, KEY), undefined, 'wake'),
    ]) {
      woken.length = 0
      await change()
      const start = performance.now()
      await until(() => woken.length === listeners.length)
      expect(performance.now() - start).toBeLessThan(100)
      expect(woken.map(({ by }) => by).sort()).toEqual(listeners)
      expect(woken.map(({ key }) => key)).toEqual(listeners.map(() => KEY))
    }
  })

  test('does not wake for what is not due or not done, or after unsubscribing', async () => {
    const store = await open()
    const woken: (ParticipantKey | undefined)[] = []
    const never: unknown[] = []
    store.onWake((key) => woken.push(key))
    store.onWake((key) => never.push(key))()
    await store.put(waiting())
    await until(() => woken.length === 1)
    const old = await read(store, KEY)

    await store.replace(old, waiting({ failures: 1 }), 'quiet')
    await store.replace(old, waiting({ failures: 2 }), 'wake')
    await store.postpone(await read(store, KEY), NOW)
    await store.put(waiting({ identity: 'last' }))
    await until(() => woken.some((key) => key?.identity === 'last'))
    expect(woken).toEqual([KEY, { room: 'room', identity: 'last' }])
    expect(never).toEqual([])
  })

  test('wakes everybody at once', async () => {
    const [here, other] = [await open(), await open()]
    const woken: unknown[][] = []
    here.onWake((key) => woken.push(['here', key]))
    if (wakesOthers) other.onWake((key) => woken.push(['other', key]))
    await here.wakeAll()
    const expected = wakesOthers
      ? [
          ['here', undefined],
          ['other', undefined],
        ]
      : [['here', undefined]]
    await until(() => woken.length === expected.length)
    expect(woken.toSorted()).toEqual(expected)
  })

  test('needs mending once after it was opened', async () => {
    const store = await open()
    expect(await store.heartbeat()).toMatchObject({ hasKeptData: true, needsMending: true })
    expect(await store.mend()).toEqual({ indexed: 0, adopted: 0, removed: 0 })
    await store.put(waiting())
    expect(await store.heartbeat()).toMatchObject({ hasKeptData: true, needsMending: false })
  })

  test('is unavailable once it is closed', async () => {
    const store = await open()
    await store.put(waiting())
    await store.close()
    await expect(store.find(KEY)).rejects.toThrow('state store: ')
    await expect(store.put(waiting())).rejects.toThrow('state store: ')
    await expect(store.claimDue(NOW, 1, 1_000)).rejects.toThrow('state store: ')
    await store.close()
  })
})
