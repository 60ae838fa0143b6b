import { expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import type { Waiting } from '../../src/delegation/life/record.ts'
import { circumstances, leaving, NOW, waiting } from '../support/delegations.ts'

const OVER = { waitUntil: NOW - 10, checkAt: NOW - 10 }

function due(delegation: Waiting) {
  return advance(delegation, { type: 'due' }, circumstances())
}

test('asks the SFU once more before the end of a wait', () => {
  expect(due(waiting(OVER))).toEqual({ next: waiting(OVER), action: 'check-presence' })
})

test('confirms the end of a wait by a second check 2 s later, unless there was one before', () => {
  const { next, transition } = advance(waiting(OVER), { type: 'absent' }, circumstances())
  const later = { waitUntil: NOW + 2_000, checkAt: NOW + 2_000 }
  expect(next).toEqual(waiting({ ...OVER, ...later, absentSince: NOW }))
  expect(transition).toBeUndefined()
})

test('does not prolong a wait past the deadline for a second check', () => {
  const { next } = advance(
    waiting({ ...OVER, deadlineAt: NOW + 1_999 }),
    { type: 'absent' },
    circumstances(),
  )
  expect(next?.state).toBe('leaving')
})

test('sends the leave at the end of a wait when the participant is absent twice', () => {
  const missed = waiting({ ...OVER, absentSince: NOW - 2_000 })
  const { next, transition } = advance(missed, { type: 'absent' }, circumstances())
  const { participantId, ...expected } = leaving({ sendAt: NOW })
  expect(next).toEqual(expected)
  expect(transition).toEqual({ from: 'waiting', to: 'leaving', cause: 'the wait ran out' })
})

test('connects a participant who came at the last moment', () => {
  const { next } = advance(waiting(OVER), { type: 'present' }, circumstances())
  expect(next?.state).toBe('connected')
})

test('prolongs a wait while the SFU does not answer, with pauses between checks', () => {
  const { next } = advance(waiting(OVER), { type: 'presence-unknown' }, circumstances())
  expect(next).toEqual(waiting({ failures: 1, checkAt: NOW + 1_500, waitUntil: NOW + 1_500 }))
})

test('drops a delegation whose deadline passed while no worker ran', () => {
  const late = waiting({ ...OVER, deadlineAt: NOW - 1_001 })
  expect(due(late)).toEqual({
    next: undefined,
    transition: {
      from: 'waiting',
      to: 'dropped',
      cause: 'the deadline passed while nobody could tell',
    },
  })
})

test('a worker that is a second late at the deadline still asks', () => {
  expect(due(waiting({ ...OVER, deadlineAt: NOW - 1_000 })).action).toBe('check-presence')
})
