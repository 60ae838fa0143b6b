import { expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import type { Delegation } from '../../src/delegation/life/record.ts'
import type { DelegationSignal } from '../../src/delegation/life/signals.ts'
import { circumstances, connected, leaving, NOW, waiting } from '../support/delegations.ts'

type SignalType = DelegationSignal['type']
/** `=`: unchanged; `~`: changed in the same state; `!`: an action; otherwise the new state. */
type Outcome = '=' | '~' | '!check-presence' | '!restart' | '!send' | Delegation['state'] | End
type End = 'dropped' | 'finished'

/** Variants of a signal of the same type. */
type Events = { readonly [Type in SignalType]: DelegationSignal & { readonly type: Type } }

const AT_NOW = {
  cause: 'webhook',
  participantId: 'PA_1',
  happenedBy: NOW + 999,
  connectedBy: NOW,
}

const SIGNALS: Events = {
  due: { type: 'due' },
  doubt: { type: 'doubt' },
  joined: { type: 'joined', ...AT_NOW, participantId: 'PA_2' },
  left: { type: 'left', ...AT_NOW, onPurpose: true, replaced: false },
  aborted: { type: 'aborted', ...AT_NOW, onPurpose: false, replaced: false },
  'room-finished': { type: 'room-finished', cause: 'room_finished', happenedBy: NOW + 999 },
  present: { type: 'present', participantId: 'PA_2' },
  absent: { type: 'absent' },
  'presence-unknown': { type: 'presence-unknown' },
  restarted: { type: 'restarted', at: NOW - 40 },
  sent: { type: 'sent' },
  'event-gone': { type: 'event-gone' },
  'attempt-failed': { type: 'attempt-failed', answered: false },
  'client-api-unresolvable': { type: 'client-api-unresolvable' },
  expelled: { type: 'expelled' },
}

const STATES = {
  waiting: waiting(),
  connected: connected(),
  leaving: leaving({ sendAt: NOW - 1 }),
}

const TABLE: Record<SignalType, Record<Delegation['state'], Outcome>> = {
  due: { waiting: '!check-presence', connected: '!check-presence', leaving: '!send' },
  doubt: { waiting: '~', connected: '~', leaving: '=' },
  joined: { waiting: 'connected', connected: '~', leaving: 'connected' },
  left: { waiting: 'leaving', connected: 'leaving', leaving: '=' },
  aborted: { waiting: 'dropped', connected: 'leaving', leaving: '=' },
  'room-finished': { waiting: '~', connected: '~', leaving: '=' },
  present: { waiting: 'connected', connected: '~', leaving: 'connected' },
  absent: { waiting: '~', connected: '~', leaving: '~' },
  'presence-unknown': { waiting: '~', connected: '~', leaving: '~' },
  restarted: { waiting: '=', connected: '~', leaving: '=' },
  sent: { waiting: '=', connected: '=', leaving: 'finished' },
  'event-gone': { waiting: '=', connected: 'dropped', leaving: 'finished' },
  'attempt-failed': { waiting: '=', connected: '~', leaving: '~' },
  'client-api-unresolvable': { waiting: '=', connected: 'dropped', leaving: '~' },
  expelled: { waiting: 'dropped', connected: 'dropped', leaving: 'dropped' },
}

function outcomeOf(delegation: Delegation, signal: DelegationSignal): string {
  const { next, action, transition } = advance(delegation, signal, circumstances())
  if (action !== undefined) return next === delegation ? `!${action}` : 'an action and a change'
  if (transition === undefined) return next === delegation ? '=' : '~'
  if (transition.from !== delegation.state) return `from ${transition.from}`
  if (next !== undefined && next.state !== transition.to) return `into ${next.state}`
  return transition.to
}

for (const type of Object.keys(SIGNALS) as SignalType[]) {
  for (const state of Object.keys(STATES) as Delegation['state'][]) {
    const expected = TABLE[type][state]
    test(`${type} while ${state} gives ${expected}`, () => {
      expect(outcomeOf(STATES[state], SIGNALS[type])).toBe(expected)
    })
  }
}

test('a transition names its states and its cause', () => {
  const causes = (delegation: Delegation, signal: DelegationSignal, now = NOW) =>
    advance(delegation, signal, circumstances({ now })).transition
  expect(causes(waiting(), SIGNALS.joined)).toEqual({
    from: 'waiting',
    to: 'connected',
    cause: 'webhook',
  })
  expect(causes(waiting(), SIGNALS.present)).toEqual({
    from: 'waiting',
    to: 'connected',
    cause: 'found present',
  })
  expect(causes(connected({ absentSince: NOW - 2_000 }), SIGNALS.absent)).toEqual({
    from: 'connected',
    to: 'leaving',
    cause: 'confirmed absent',
  })
  expect(causes(connected(), SIGNALS.due, NOW + 20_000)).toEqual({
    from: 'connected',
    to: 'dropped',
    cause: 'the deadline passed without a successful restart',
  })
  expect(causes(leaving(), SIGNALS.due, NOW + 20_000)).toEqual({
    from: 'leaving',
    to: 'finished',
    cause: 'out of time',
  })
})

test('an ended delegation leaves no record', () => {
  expect(advance(leaving(), SIGNALS.sent, circumstances()).next).toBeUndefined()
  expect(advance(connected(), SIGNALS['event-gone'], circumstances()).next).toBeUndefined()
  expect(advance(waiting(), SIGNALS.aborted, circumstances()).next).toBeUndefined()
})
