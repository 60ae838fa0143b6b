import { expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import type { DelegationSignal } from '../../src/delegation/life/signals.ts'
import { circumstances, NOW, waiting } from '../support/delegations.ts'

const ACCEPTED = NOW - 300

function left(connectedBy: number | undefined, happenedBy: number): DelegationSignal {
  const report = { cause: 'participant_left (CLIENT_INITIATED)', participantId: 'PA_0' }
  return { type: 'left', onPurpose: true, replaced: false, ...report, connectedBy, happenedBy }
}

function stateAfter(event: DelegationSignal) {
  return advance(waiting({ acceptedAt: ACCEPTED }), event, circumstances()).next?.state
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

test('a connection that began before by the clock of an SFU that is ahead is another one', () => {
  const aheadMs = 5_000
  expect(stateAfter(left(ACCEPTED - 1 + aheadMs, NOW + 999 + aheadMs))).toBe('waiting')
  expect(stateAfter(left(ACCEPTED + aheadMs, NOW + 999 + aheadMs))).toBe('leaving')
})

test('a connection that was there already and surely ended after the acceptance is the awaited one', () => {
  const long = { acceptedAt: NOW - 60_000 }
  const ofLong = (happenedBy: number) => {
    return advance(waiting(long), left(NOW - 70_000, happenedBy), circumstances()).next?.state
  }
  expect(ofLong(NOW - 60_000 + 5_999)).toBe('waiting')
  expect(ofLong(NOW - 60_000 + 6_000)).toBe('leaving')
})
