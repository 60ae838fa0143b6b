import { beforeEach, expect, test } from 'bun:test'
import { createDelegations } from '../../src/delegation/delegations.ts'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import { StoreUnavailable } from '../../src/delegation/store/store.ts'
import { type Changes, createChanges } from '../../src/delegation/work/changes.ts'
import { circumstances, connected, leaving, NOW, waiting } from '../support/delegations.ts'
import { everythingIn, read } from '../support/stores.ts'
import { WatchedStore } from '../support/watched-store.ts'

const LEFT = { cause: 'left', participantId: 'PA_1', onPurpose: true, replaced: false } as const
const JOINED = { type: 'joined', cause: 'participant_joined', participantId: 'PA_1' } as const

let store: WatchedStore
let changes: Changes
let transitions: string[]

beforeEach(() => {
  store = new WatchedStore(new SqliteStore(':memory:'))
  transitions = []
  changes = createChanges({
    store,
    circumstances,
    onTransition: ({ identity }, { from, to }) => transitions.push(`${identity}: ${from} → ${to}`),
  })
})

test('a signal for an unknown participant does nothing', async () => {
  await changes.applyFor({ room: 'room', identity: 'nobody' }, JOINED)
  expect(await everythingIn(store)).toEqual([])
  expect(transitions).toEqual([])
})

test('a signal is applied to the current record, even if it changed after it was read', async () => {
  await store.put(waiting())
  const old = await read(store, waiting())
  await changes.applyTo(old, JOINED)
  await changes.applyTo(old, { type: 'left', ...LEFT })
  expect((await read(store, waiting())).delegation.state).toBe('leaving')
})

test('a signal for a delegation is not applied to the one that replaced it', async () => {
  await store.put(waiting())
  const old = await read(store, waiting())
  await store.put(waiting({ generation: 'g2' }))
  await changes.applyTo(old, JOINED)
  expect((await read(store, waiting())).delegation).toEqual(waiting({ generation: 'g2' }))
})

test('loses none of several concurrent signals, and reports each transition once', async () => {
  await store.put(connected({ failures: 0, restartAt: NOW }))
  const failures = Array.from({ length: 20 }, () =>
    changes.applyFor(waiting(), { type: 'attempt-failed', answered: false }),
  )
  const departures = Array.from({ length: 5 }, () =>
    changes.applyFor(waiting(), { type: 'left', ...LEFT }),
  )
  await Promise.all([...failures, ...departures])
  expect((await read(store, waiting())).delegation.state).toBe('leaving')
  expect(transitions).toEqual(['@alice:example.org:PHONE: connected → leaving'])

  await store.put(connected({ restartAt: NOW }))
  await Promise.all(
    failures.map(() => changes.applyFor(waiting(), { type: 'attempt-failed', answered: false })),
  )
  expect((await read(store, waiting())).delegation.failures).toBe(20)
})

test('a report that changes nothing keeps the lease of the worker', async () => {
  await store.put(connected({ restartAt: NOW }))
  expect((await store.claimDue(NOW, 1, 10_000)).claimed).toHaveLength(1)
  await changes.applyFor(connected(), JOINED)
  await changes.applyTo(await read(store, connected()), JOINED)
  expect((await store.claimDue(NOW, 1, 10_000)).claimed).toEqual([])

  // Due at once, but only after the worker's lease has ended.
  const stale = { cause: 'left', participantId: 'PA_0', onPurpose: true, replaced: false }
  for (const again of [1, 2]) {
    await changes.applyFor(connected(), { type: 'left', ...stale })
    expect([again, (await store.claimDue(NOW, 1, 10_000)).claimed]).toEqual([again, []])
  }

  await store.put(leaving({ sendAt: NOW }))
  expect((await store.claimDue(NOW, 1, 10_000)).claimed).toHaveLength(1)
  for (const type of ['left', 'aborted'] as const) {
    const how = { cause: type, onPurpose: true, replaced: false }
    await changes.applyFor(leaving(), { type, ...how, participantId: 'PA_1' })
  }
  expect((await store.claimDue(NOW, 1, 10_000)).claimed).toEqual([])
})

test('ignores a failure when the state has changed since', async () => {
  await store.put(connected({ restartAt: NOW }))
  const old = await read(store, connected())
  await changes.applyTo(old, { type: 'doubt' })
  const changed = connected({ restartAt: NOW, checkAt: NOW })
  await changes.applyIfUnchanged(old, { type: 'attempt-failed', answered: false })
  expect((await read(store, connected())).delegation).toEqual(changed)
  await changes.applyIfUnchanged(await read(store, connected()), {
    type: 'attempt-failed',
    answered: false,
  })
  expect((await read(store, connected())).delegation.failures).toBe(1)
})

test('wakes workers only for what is due now', async () => {
  const woken: unknown[] = []
  await store.put(waiting())
  store.onWake((key) => woken.push(key))
  await changes.applyFor(waiting(), { type: 'absent' })
  await changes.applyFor(waiting(), { type: 'doubt' })
  expect(woken).toEqual([])
  await changes.applyFor(waiting(), JOINED)
  expect(woken).toEqual([{ room: 'room', identity: '@alice:example.org:PHONE' }])
})

test('refuses delegations and webhooks while the store is away', async () => {
  let missed = 0
  const delegations = createDelegations({
    store,
    changes,
    circumstances,
    newGeneration: () => 'g',
    boundsFor: () => ({ perUser: 100, perServer: 20_000 }),
    onAccepted: () => {
      throw new Error('it was accepted')
    },
    onMissedWebhook: () => {
      missed += 1
    },
  })
  const { room, identity, serverName, delayId, delayMs } = waiting()
  store.failure = new StoreUnavailable('store.file-failed', 'gone')
  const accepted = { room, identity, serverName, delayId, delayMs }
  await expect(delegations.delegate(accepted)).rejects.toThrow(StoreUnavailable)
  expect(missed).toBe(0)
  for (const whom of [identity, undefined]) {
    const report = delegations.report({ room, identity: whom, signal: JOINED })
    await expect(report).rejects.toThrow(StoreUnavailable)
  }
  expect(missed).toBe(2)
})
