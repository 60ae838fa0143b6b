import { advanceConnected } from './connected.ts'
import { advanceLeaving } from './leaving.ts'
import type { Circumstances, Step } from './moves.ts'
import type { Delegation } from './record.ts'
import type { DelegationEvent } from './signals.ts'
import { advanceWaiting } from './waiting.ts'

/** The SFU tells whole seconds: what happened just now may be reported as of the end of this one. */
const SECOND_MS = 999

/**
 * No report is from the future. One that says so shows by how much the clock of the SFU is ahead at
 * least: all its times are put back, so that an old connection is not taken for a new one.
 */
function asOfNow(event: DelegationEvent, now: number): DelegationEvent {
  if (!('happenedBy' in event) || event.happenedBy === undefined) return event
  const aheadMs = Math.max(0, event.happenedBy - SECOND_MS - now)
  const { connectedBy, happenedBy } = event
  const began = connectedBy === undefined ? {} : { connectedBy: connectedBy - aheadMs }
  return { ...event, ...began, happenedBy: Math.min(happenedBy, now) }
}

/**
 * What comes of an event in the life of a delegation. An event that means nothing in a state leaves it
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
  reported: DelegationEvent,
  around: Circumstances,
): Step {
  const event = asOfNow(reported, around.now)
  switch (delegation.state) {
    case 'waiting':
      return advanceWaiting(delegation, event, around)
    case 'connected':
      return advanceConnected(delegation, event, around)
    case 'leaving':
      return advanceLeaving(delegation, event, around)
  }
}
