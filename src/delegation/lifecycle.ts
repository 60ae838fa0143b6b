import { advanceConnected } from './connected.ts'
import type { Delegation } from './delegation.ts'
import type { DelegationEvent } from './events.ts'
import { advanceLeaving } from './leaving.ts'
import type { Circumstances, Step } from './steps.ts'
import { advanceWaiting } from './waiting.ts'

/**
 * What comes of an event in the life of a delegation. An event that means nothing in a state leaves it
 * as it is.
 *
 * ```text
 *               joined, found present         ┌──────┐ restarted, every 80 % of the delay
 *   waiting ─────────────────────────▶ connected ◀───┘
 *    │  │                               │  │   ▲
 *    │  │ left on purpose,              │  │   │ joined again before the event was sent
 *    │  │ or the wait ran out           │  │   │
 *    │  └──────────▶ leaving ◀──────────┘  │   │
 *    │               │     │ any departure,│   │
 *    │               │     │ or absent     │   │
 *    │               │     └───────────────┼───┘
 *    │ aborted       │ sent, already done, │ event gone, client API gone,
 *    ▼               ▼ or out of time      ▼ or the deadline passed
 *   dropped         finished              dropped
 * ```
 */
export function advance(
  delegation: Delegation,
  event: DelegationEvent,
  around: Circumstances,
): Step {
  switch (delegation.state) {
    case 'waiting':
      return advanceWaiting(delegation, event, around)
    case 'connected':
      return advanceConnected(delegation, event, around)
    case 'leaving':
      return advanceLeaving(delegation, event, around)
  }
}
