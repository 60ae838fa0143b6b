import { expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import { circumstances, NOW, waiting } from '../support/delegations.ts'

/** An adopted entry: to be checked at once, and restarted before its own deadline. */
const ADOPTED = waiting({ checkAt: NOW + 5_000, restartAt: NOW, deadlineAt: NOW + 4_000 })

test('restarts an adopted entry before its deadline until the SFU answers', () => {
  expect(advance(ADOPTED, { type: 'due' }, circumstances()).action).toBe('restart')
  const unknown = advance(ADOPTED, { type: 'presence-unknown' }, circumstances()).next
  expect(unknown).toMatchObject({ state: 'waiting', restartAt: NOW })
  const restarted = advance(ADOPTED, { type: 'restarted', at: NOW }, circumstances()).next
  expect(restarted).toMatchObject({
    state: 'waiting',
    restartAt: NOW + 24_000,
    deadlineAt: NOW + 30_000,
    waitUntil: NOW + 30_000,
  })
})

test('retries a failed restart of an adopted entry before its deadline', () => {
  const signal = { type: 'attempt-failed', answered: true, retryAfterMs: 60_000 } as const
  expect(advance(ADOPTED, signal, circumstances()).next).toMatchObject({ restartAt: NOW + 2_500 })
})

test('an adopted entry of an absent participant waits like any other', () => {
  const { next } = advance(ADOPTED, { type: 'absent' }, circumstances())
  expect(next).toMatchObject({ state: 'waiting', absentSince: NOW })
  expect(next).not.toHaveProperty('restartAt')
})

test('an adopted entry of a present participant becomes connected', () => {
  const { next } = advance(ADOPTED, { type: 'present', participantId: 'PA_1' }, circumstances())
  expect(next).toMatchObject({ state: 'connected', restartAt: NOW, deadlineAt: NOW + 4_000 })
})

test('an adopted entry whose event is gone ends', () => {
  expect(advance(ADOPTED, { type: 'event-gone' }, circumstances()).transition?.to).toBe('dropped')
})
