import type { Circumstances } from '../../src/delegation/life/moves.ts'
import type { Connected, Leaving, Waiting } from '../../src/delegation/life/record.ts'

/** A moment, in milliseconds since the epoch. */
export const NOW = 1_000_000_000

const BASE = {
  room: 'room',
  identity: '@alice:example.org:PHONE',
  generation: 'g1',
  serverName: 'example.org',
  delayId: 'delay-1',
  delayMs: 30_000,
  acceptedAt: NOW - 10_000,
  deadlineAt: NOW + 20_000,
  failures: 0,
} as const

/** A delegation that was accepted 10 s before {@link NOW}, for an event that is delayed by 30 s. */
export function waiting(overrides: Partial<Waiting> = {}): Waiting {
  const times = { waitUntil: NOW + 20_000, checkAt: NOW + 1_000 }
  return { ...BASE, ...times, ...overrides, state: 'waiting' }
}

/** One whose participant has been connected as `PA_1` since 5 s before {@link NOW}. */
export function connected(overrides: Partial<Connected> = {}): Connected {
  return {
    ...BASE,
    participantId: 'PA_1',
    connectedAt: NOW - 5_000,
    restartAt: NOW + 14_000,
    checkAt: NOW + 7_000,
    checkFailures: 0,
    ...overrides,
    state: 'connected',
  }
}

/** One whose participant, connected as `PA_1`, has left. */
export function leaving(overrides: Partial<Leaving> = {}): Leaving {
  return {
    ...BASE,
    participantId: 'PA_1',
    giveUpAt: NOW + 20_000,
    sendAt: NOW + 1_000,
    ...overrides,
    state: 'leaving',
  }
}

/** Decides at {@link NOW}, with a backoff that is neither shortened nor stretched. */
export function circumstances(overrides: Partial<Circumstances> = {}): Circumstances {
  return { now: NOW, random: 0.5, sanityCheckMs: 0, ...overrides }
}
