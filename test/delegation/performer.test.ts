import { expect, test } from 'bun:test'
import type { Delegation } from '../../src/delegation/life/record.ts'
import type { DelayedEventOutcome } from '../../src/delegation/life/signals.ts'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import { createChanges } from '../../src/delegation/work/changes.ts'
import { Performer } from '../../src/delegation/work/performer.ts'
import { ServerSlots } from '../../src/delegation/work/server-slots.ts'
import { circumstances, connected, leaving, NOW, waiting } from '../support/delegations.ts'
import type { EffectCall } from '../support/effects.ts'
import { createPerformerStage } from '../support/performer-stage.ts'
import { read } from '../support/stores.ts'
import { until } from '../support/until.ts'

/** Performs the due action of a delegation up to the answer, which the test gives. */
async function perform(delegation: Delegation) {
  const { store, changes, effects, performer, transitions } = createPerformerStage()
  await store.put(delegation)
  effects.respond(() => 'hold')
  const performed = performer.perform(await read(store, delegation))
  const call: EffectCall = await until(() => effects.calls[0])
  const current = async () => (await store.find(delegation))?.delegation
  return { store, changes, performer, performed, call, current, transitions }
}

const DUE_CHECK = waiting({ checkAt: NOW })
const DUE_RESTART = connected({ restartAt: NOW })
const JOINED = { type: 'joined', cause: 'participant_joined', participantId: 'PA_1' } as const
const LEFT = {
  type: 'left',
  cause: 'participant_left',
  participantId: 'PA_1',
  onPurpose: true,
  replaced: false,
} as const

test('performs the due action, and stores its outcome', async () => {
  const { performed, call, current } = await perform(DUE_RESTART)
  expect(call.action).toBe('restart')
  call.answer({ type: 'restarted', at: NOW - 40 })
  await performed
  expect(await current()).toEqual(connected({ restartAt: NOW + 23_960, deadlineAt: NOW + 29_960 }))
})

test('ignores an "absent" from before a reported connection', async () => {
  const { performed, call, current, changes, transitions } = await perform(DUE_CHECK)
  await changes.applyFor(DUE_CHECK, JOINED)
  call.answer({ type: 'absent' })
  await performed
  expect(await current()).toMatchObject({ state: 'connected', participantId: 'PA_1' })
  expect(transitions).toEqual(['waiting → connected: participant_joined'])
})

test('ignores a "present" from before a reported departure', async () => {
  const { performed, call, current, changes } = await perform(connected({ checkAt: NOW }))
  await changes.applyFor(DUE_CHECK, LEFT)
  call.answer({ type: 'present', participantId: 'PA_1' })
  await performed
  expect(await current()).toEqual(leaving({ sendAt: NOW }))
})

test('believes that the event is gone even if the participant has left meanwhile', async () => {
  const { performed, call, current, changes, transitions } = await perform(DUE_RESTART)
  await changes.applyFor(DUE_RESTART, LEFT)
  call.answer({ type: 'event-gone' })
  await performed
  expect(await current()).toBeUndefined()
  expect(transitions).toEqual([
    'connected → leaving: participant_left',
    'leaving → finished: the delayed event was already sent or cancelled',
  ])
})

for (const signal of [{ type: 'event-gone' }, { type: 'restarted', at: NOW }] as const) {
  test(`${signal.type} of a former delegation does not touch the present one`, async () => {
    const { performed, call, current, store } = await perform(DUE_RESTART)
    await store.put(waiting({ generation: 'g2' }))
    call.answer(signal)
    await performed
    expect(await current()).toEqual(waiting({ generation: 'g2' }))
  })
}

test('does not store the outcome of an aborted action', async () => {
  const { store, performed, call, current, performer } = await perform(DUE_RESTART)
  const left = leaving({ sendAt: NOW })
  await store.replace(await read(store, DUE_RESTART), left, 'quiet')
  await performer.abortIfChanged(DUE_RESTART)
  expect(call.signal.aborted).toBe(true)
  await performed
  expect(await current()).toEqual(left)
})

test('a report that keeps the state aborts nothing and keeps the lease', async () => {
  const { store, performed, call, current, changes, performer } = await perform(DUE_RESTART)
  await store.claimDue(NOW, 1, 10_000)
  for (let count = 0; count < 5; count += 1) {
    const report = { cause: 'left', participantId: `PA_old ${count}`, onPurpose: true } as const
    await changes.applyFor(DUE_RESTART, { type: 'left', replaced: false, ...report })
    await performer.abortIfChanged(DUE_RESTART)
  }
  expect(call.signal.aborted).toBe(false)
  expect((await store.claimDue(NOW, 1, 10_000)).claimed).toEqual([])
  call.answer({ type: 'restarted', at: NOW })
  await performed
  expect(await current()).toMatchObject({ restartAt: NOW + 24_000, checkAt: NOW })
})

test('an action that ends late does not renew a lease after the hand-over', async () => {
  const store = new SqliteStore(':memory:')
  const delegation = connected({ restartAt: NOW, delayMs: 2_500 })
  await store.put(delegation)
  const changes = createChanges({ store, circumstances, onTransition: () => {} })
  const held = Promise.withResolvers<DelayedEventOutcome>()
  const performer = new Performer({
    store,
    changes,
    circumstances,
    servers: new ServerSlots(96),
    presenceChecks: 96,
    effects: {
      checkPresence: async () => ({ type: 'presence-unknown' }),
      actOnEvent: () => held.promise,
    },
  })
  const { claimed } = await store.claimDue(NOW, 1, 10_000)
  const [stored] = claimed
  if (stored === undefined) throw new Error('nothing was claimed')
  const performed = performer.perform(stored)
  await performer.handOver()
  await Bun.sleep(150)
  expect((await store.claimDue(NOW, 1, 10_000)).claimed).toHaveLength(1)
  held.resolve({ type: 'attempt-failed', answered: false })
  await performed
  expect((await read(store, delegation)).delegation).toEqual(delegation)
})

test('ends an expired delegation without any action', async () => {
  const { store, effects, performer, transitions } = createPerformerStage()
  const over = connected({ deadlineAt: NOW - 1 })
  await store.put(over)
  await performer.perform(await read(store, over))
  expect(effects.calls).toEqual([])
  expect(await store.find(over)).toBeUndefined()
  expect(transitions).toEqual([
    'connected → dropped: the deadline passed without a successful restart',
  ])
})

test('an SFU in trouble delays presence checks, but never the restart', async () => {
  const { store, effects, performer } = createPerformerStage()
  async function check(identity: string): Promise<void> {
    const delegation = connected({ identity, checkAt: NOW, restartAt: NOW + 1_000 })
    await store.put(delegation)
    await performer.perform(await read(store, delegation))
  }
  effects.respond(() => ({ type: 'presence-unknown' }))
  for (const identity of ['1', '2', '3', '4', '5', '6']) await check(identity)
  effects.respond(() => 'hold')
  const held = ['7', '8', '9', '10'].map(check)
  await until(() => effects.underWay() === 4)

  await check('11')
  expect(effects.calls).toHaveLength(10)
  const { claimed } = await store.claimDue(NOW + 1_000, 20, 10_000)
  expect(claimed.map(({ delegation }) => delegation.identity)).toContain('11')
  for (const call of effects.calls) call.answer({ type: 'presence-unknown' })
  await Promise.all(held)
})
