import { expect, test } from 'bun:test'
import type { Delegation } from '../../src/delegation/life/record.ts'
import type { DelayedEventOutcome, PresenceSignal } from '../../src/delegation/life/signals.ts'
import { connected, leaving, NOW, waiting } from '../support/delegations.ts'
import { createPerformerStage } from '../support/performer-stage.ts'
import { read } from '../support/stores.ts'
import { until } from '../support/until.ts'

/** The record after an action whose delegation changed while it was under way. */
async function answeredAfter(
  delegation: Delegation,
  changed: Delegation,
  answer: PresenceSignal | DelayedEventOutcome,
): Promise<Delegation> {
  const { store, effects, performer } = createPerformerStage()
  effects.respond(() => 'hold')
  await store.put(delegation)
  const performed = performer.perform(await read(store, delegation))
  const call = await until(() => effects.calls[0])
  await store.replace(await read(store, delegation), changed, 'quiet')
  call.answer(answer)
  await performed
  return (await read(store, delegation)).delegation
}

const RESTART = connected({ restartAt: NOW })
const FAILED = { type: 'attempt-failed', answered: false } as const

test.each([
  ['a failed restart', RESTART, leaving({ sendAt: NOW }), FAILED],
  [
    'a client API that cannot be located',
    RESTART,
    leaving({ sendAt: NOW }),
    { type: 'client-api-unresolvable' },
  ],
  ['absence', waiting({ checkAt: NOW }), connected(), { type: 'absent' }],
  ['presence', connected({ checkAt: NOW }), leaving({ sendAt: NOW }), { type: 'present' }],
  ['an SFU that cannot tell', waiting({ checkAt: NOW }), connected(), { type: 'presence-unknown' }],
  ['a failed leave', leaving({ sendAt: NOW }), connected({ restartAt: NOW }), FAILED],
] as const)(
  '%s is ignored when the delegation has changed since',
  async (_, before, changed, answer) => {
    expect(await answeredAfter(before, changed, answer)).toEqual(changed)
  },
)

test('a restart counts even if the record has changed since', async () => {
  const changed = connected({ restartAt: NOW, participantId: 'PA_2' })
  expect(await answeredAfter(RESTART, changed, { type: 'restarted', at: NOW })).toEqual(
    connected({ restartAt: NOW + 24_000, deadlineAt: NOW + 30_000, participantId: 'PA_2' }),
  )
})

test('a failed restart counts even if a report came in between', async () => {
  const changed = connected({ restartAt: NOW, participantId: 'PA_2' })
  expect(await answeredAfter(RESTART, changed, FAILED)).toEqual(
    connected({ restartAt: NOW + 1_000, failures: 1, participantId: 'PA_2' }),
  )
})

test('a hand-over wakes the other workers only if there is something to hand over', async () => {
  const { store, effects, performer } = createPerformerStage()
  const woken: unknown[] = []
  store.onWake((key) => woken.push(key))
  await performer.handOver()
  expect(woken).toEqual([])
  effects.respond(() => 'hold')
  await store.put(RESTART)
  const performed = performer.perform(await read(store, RESTART))
  await until(() => effects.calls.length === 1)
  woken.length = 0
  await performer.handOver()
  expect(woken).toStrictEqual([undefined])
  await performed
})

/** How many of 40 restarts start at a homeserver after one restart there had this outcome. */
async function begunAfter(answer: DelayedEventOutcome | 'hold'): Promise<number> {
  const { store, effects, performer } = createPerformerStage()
  effects.respond(() => answer)
  async function restart(identity: string): Promise<void> {
    const delegation = connected({ identity, restartAt: NOW })
    await store.put(delegation)
    await performer.perform(await read(store, delegation))
  }
  const first = restart('first')
  await until(() => effects.calls.length === 1)
  if (answer === 'hold') await performer.handOver()
  await first
  effects.calls.length = 0
  effects.respond(() => 'hold')
  let putOff = 0
  const rest = Array.from({ length: 40 }, async (_, index) => {
    await restart(`${index}`)
    putOff += 1
  })
  await until(() => putOff + effects.underWay() === 40)
  const begun = effects.calls.length
  await performer.handOver()
  await Promise.all(rest)
  return begun
}

test('a homeserver that answers, even with an error, is not in trouble', async () => {
  expect(await begunAfter({ type: 'attempt-failed', answered: true })).toBe(32)
  expect(await begunAfter({ type: 'restarted', at: NOW })).toBe(32)
})

test('a homeserver that does not answer is in trouble', async () => {
  expect(await begunAfter({ type: 'attempt-failed', answered: false })).toBe(4)
})

test('a homeserver whose request was aborted is not in trouble', async () => {
  expect(await begunAfter('hold')).toBe(8)
})
