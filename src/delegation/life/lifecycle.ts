import { advanceConnected } from './connected.ts'
import { advanceLeaving } from './leaving.ts'
import type { Circumstances, Step } from './moves.ts'
import type { Delegation } from './record.ts'
import type { DelegationSignal } from './signals.ts'
import { advanceWaiting } from './waiting.ts'

/** The SFU tells whole seconds: what happened just now may be reported as of the end of this one. */
const SECOND_MS = 999

/**
 * No report is from the future. One that says so shows by how much the clock of the SFU is ahead at
 * least: all its times are put back, so that an old connection is not taken for a new one.
 */
function asOfNow(signal: DelegationSignal, now: number): DelegationSignal {
  if (!('happenedBy' in signal) || signal.happenedBy === undefined) return signal
  const aheadMs = Math.max(0, signal.happenedBy - SECOND_MS - now)
  const { connectedBy, happenedBy } = signal
  const began = connectedBy === undefined ? {} : { connectedBy: connectedBy - aheadMs }
  return { ...signal, ...began, happenedBy: Math.min(happenedBy, now) }
}

/**
 * What comes of a signal in the life of a delegation. A signal that means nothing in a state leaves it
 * as it is.
 *
 * ```text
 *               joined, found present         ┌──────┐ restarted, every 80 % of the delay
 *   waiting ─────────────────────────▶ connected ◀───┘
 *    │  │                               │  │   ▲
 *    │  │ left on purpose,              │  │   │ back before the event was sent
 *    │  │ or the wait ran out           │  │   │
 *    │  └──────────▶ leaving ◀──────────┘  │   │
 *    │               │     │ its own end,  │   │
 *    │               │     │ or absent twice   │
 *    │               │     └───────────────┼───┘
 *    │ aborted       │ sent, already done, │ event gone, client API gone,
 *    ▼               ▼ or out of time      ▼ or the deadline passed
 *   dropped         finished              dropped
 * ```
 */
export function advance(
  delegation: Delegation,
  reported: DelegationSignal,
  circumstances: Circumstances,
): Step {
  const signal = asOfNow(reported, circumstances.now)
  switch (delegation.state) {
    case 'waiting':
      return advanceWaiting(delegation, signal, circumstances)
    case 'connected':
      return advanceConnected(delegation, signal, circumstances)
    case 'leaving':
      return advanceLeaving(delegation, signal, circumstances)
  }
}
