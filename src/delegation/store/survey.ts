import type { Delegation } from '../life/record.ts'
import type { Stored, Survey } from './store.ts'

/** How many delegations are looked at to estimate the rest. */
export const SAMPLE_SIZE = 500

/** Counts the states in a sample, and scales them to the whole. */
export function statesOf(sample: readonly Stored[], total: number): Survey['byState'] {
  const byState: Record<Delegation['state'], number> = { waiting: 0, connected: 0, leaving: 0 }
  const share = sample.length === 0 ? 0 : total / sample.length
  for (const { delegation } of sample) byState[delegation.state] += share
  const { waiting, connected, leaving } = byState
  return {
    waiting: Math.round(waiting),
    connected: Math.round(connected),
    leaving: Math.round(leaving),
  }
}
