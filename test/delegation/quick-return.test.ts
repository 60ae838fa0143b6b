import { expect, test } from 'bun:test'
import type { DelegationEvent } from '../../src/delegation/events.ts'
import { advance } from '../../src/delegation/lifecycle.ts'
import { around, NOW, waiting } from '../support/delegations.ts'

const ACCEPTED = NOW - 300

function left(connectedBy: number | undefined, happenedBy: number): DelegationEvent {
  const report = { cause: 'participant_left (CLIENT_INITIATED)', participantId: 'PA_0' }
  return { type: 'left', onPurpose: true, replaced: false, ...report, connectedBy, happenedBy }
}

function stateAfter(event: DelegationEvent) {
  return advance(waiting({ acceptedAt: ACCEPTED }), event, around()).next?.state
}

test('a connection that began before and ended within the second is another one', () => {
  expect(stateAfter(left(ACCEPTED - 1, NOW + 500))).toBe('waiting')
})

test('a connection that began after the acceptance is the awaited one', () => {
  expect(stateAfter(left(ACCEPTED, NOW + 500))).toBe('leaving')
})

test('a connection of which nobody tells when it began is the awaited one', () => {
  expect(stateAfter(left(undefined, NOW + 500))).toBe('leaving')
})

test('a connection that was there already and ended in a later second is the awaited one', () => {
  expect(stateAfter(left(ACCEPTED - 1, ACCEPTED + 1_000))).toBe('leaving')
})
