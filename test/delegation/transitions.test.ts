import { expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import type { Delegation } from '../../src/delegation/life/record.ts'
import type { DelegationSignal } from '../../src/delegation/life/signals.ts'
import { circumstances, connected, leaving, NOW, waiting } from '../support/delegations.ts'

type EventType = DelegationSignal['type']
/** `=` stays as it was, `~` stays in its state but changed, `!` is an action, else the new state. */
type Outcome = '=' | '~' | '!check-presence' | '!restart' | '!send' | Delegation['state'] | End
type End = 'dropped' | 'finished'

/** Of these a type may be one of several. */
type Events = { readonly [Type in EventType]: DelegationSignal & { readonly type: Type } }

const AT_NOW = {
  cause: 'webhook',
  participantId: 'PA_1',
  happenedBy: NOW + 999,
  connectedBy: NOW,
}

const EVENTS: Events = {
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
}

const STATES = {
  waiting: waiting(),
  connected: connected(),
  leaving: leaving({ sendAt: NOW - 1 }),
}

const TABLE: Record<EventType, Record<Delegation['state'], Outcome>> = {
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
}

function outcomeOf(delegation: Delegation, event: DelegationSignal): string {
  const { next, action, transition } = advance(delegation, event, circumstances())
  if (action !== undefined) return next === delegation ? `!${action}` : 'an action and a change'
  if (transition === undefined) return next === delegation ? '=' : '~'
  if (transition.from !== delegation.state) return `from ${transition.from}`
  if (next !== undefined && next.state !== transition.to) return `into ${next.state}`
  return transition.to
}

for (const type of Object.keys(EVENTS) as EventType[]) {
  for (const state of Object.keys(STATES) as Delegation['state'][]) {
    const expected = TABLE[type][state]
    test(`${type} while ${state} gives ${expected}`, () => {
      expect(outcomeOf(STATES[state], EVENTS[type])).toBe(expected)
    })
  }
}

test('a transition names where from, where to and why', () => {
  const causes = (delegation: Delegation, event: DelegationSignal, now = NOW) =>
    advance(delegation, event, circumstances({ now })).transition
  expect(causes(waiting(), EVENTS.joined)).toEqual({
    from: 'waiting',
    to: 'connected',
    cause: 'webhook',
  })
  expect(causes(waiting(), EVENTS.present)).toEqual({
    from: 'waiting',
    to: 'connected',
    cause: 'found present',
  })
  expect(causes(connected({ absentSince: NOW - 2_000 }), EVENTS.absent)).toEqual({
    from: 'connected',
    to: 'leaving',
    cause: 'confirmed absent',
  })
  expect(causes(connected(), EVENTS.due, NOW + 20_000)).toEqual({
    from: 'connected',
    to: 'dropped',
    cause: 'the deadline passed without a successful restart',
  })
  expect(causes(leaving(), EVENTS.due, NOW + 20_000)).toEqual({
    from: 'leaving',
    to: 'finished',
    cause: 'out of time',
  })
})

test('an ended delegation has nothing left', () => {
  expect(advance(leaving(), EVENTS.sent, circumstances()).next).toBeUndefined()
  expect(advance(connected(), EVENTS['event-gone'], circumstances()).next).toBeUndefined()
  expect(advance(waiting(), EVENTS.aborted, circumstances()).next).toBeUndefined()
})
