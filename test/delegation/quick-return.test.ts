import { expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import type { DelegationSignal } from '../../src/delegation/life/signals.ts'
import { circumstances, NOW, waiting } from '../support/delegations.ts'

const ACCEPTED = NOW - 300

function left(connectedBy: number | undefined, happenedBy: number): DelegationSignal {
  const report = { cause: 'participant_left (CLIENT_INITIATED)', participantId: 'PA_0' }
  return { type: 'left', onPurpose: true, replaced: false, ...report, connectedBy, happenedBy }
}

function stateAfter(signal: DelegationSignal) {
  return advance(waiting({ acceptedAt: ACCEPTED }), signal, circumstances()).next?.state
}

test('ignores a connection that began before acceptance and ended within the same second', () => {
  expect(stateAfter(left(ACCEPTED - 1, NOW + 500))).toBe('waiting')
})

test('takes a connection that began after acceptance for the awaited one', () => {
  expect(stateAfter(left(ACCEPTED, NOW + 500))).toBe('leaving')
})

test('takes a connection without a start time for the awaited one', () => {
  expect(stateAfter(left(undefined, NOW + 500))).toBe('leaving')
})

test('ignores a connection that began before acceptance by an SFU clock that is ahead', () => {
  const aheadMs = 5_000
  expect(stateAfter(left(ACCEPTED - 1 + aheadMs, NOW + 999 + aheadMs))).toBe('waiting')
  expect(stateAfter(left(ACCEPTED + aheadMs, NOW + 999 + aheadMs))).toBe('leaving')
})

test('takes an earlier connection that surely ended after acceptance for the awaited one', () => {
  const long = { acceptedAt: NOW - 60_000 }
  const ofLong = (happenedBy: number) => {
    return advance(waiting(long), left(NOW - 70_000, happenedBy), circumstances()).next?.state
  }
  expect(ofLong(NOW - 60_000 + 5_999)).toBe('waiting')
  expect(ofLong(NOW - 60_000 + 6_000)).toBe('leaving')
})
