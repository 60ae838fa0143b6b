import { expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import type { Waiting } from '../../src/delegation/life/record.ts'
import { circumstances, leaving, NOW, waiting } from '../support/delegations.ts'

const OVER = { waitUntil: NOW - 10, checkAt: NOW - 10 }

function due(delegation: Waiting) {
  return advance(delegation, { type: 'due' }, circumstances())
}

test('the end of the wait is not believed before the SFU was asked once more', () => {
  expect(due(waiting(OVER))).toEqual({ next: waiting(OVER), action: 'check-presence' })
})

test('a wait that ran out is confirmed by a second look 2 s later, if there was none before', () => {
  const { next, transition } = advance(waiting(OVER), { type: 'absent' }, circumstances())
  const later = { waitUntil: NOW + 2_000, checkAt: NOW + 2_000 }
  expect(next).toEqual(waiting({ ...OVER, ...later, absentSince: NOW }))
  expect(transition).toBeUndefined()
})

test('a wait does not go on for a second look past the deadline', () => {
  const { next } = advance(
    waiting({ ...OVER, deadlineAt: NOW + 1_999 }),
    { type: 'absent' },
    circumstances(),
  )
  expect(next?.state).toBe('leaving')
})

test('a wait that ran out ends with the leave of whoever is absent twice', () => {
  const missed = waiting({ ...OVER, absentSince: NOW - 2_000 })
  const { next, transition } = advance(missed, { type: 'absent' }, circumstances())
  const { participantId, ...expected } = leaving({ sendAt: NOW })
  expect(next).toEqual(expected)
  expect(transition).toEqual({ from: 'waiting', to: 'leaving', cause: 'the wait ran out' })
})

test('whoever came in the last moment is connected', () => {
  const { next } = advance(waiting(OVER), { type: 'present' }, circumstances())
  expect(next?.state).toBe('connected')
})

test('a wait goes on while the SFU cannot tell, and is not checked without a pause', () => {
  const { next } = advance(waiting(OVER), { type: 'presence-unknown' }, circumstances())
  expect(next).toEqual(waiting({ failures: 1, checkAt: NOW + 1_500, waitUntil: NOW + 1_500 }))
})

test('a delegation whose deadline passed while nobody ran ends without action', () => {
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
