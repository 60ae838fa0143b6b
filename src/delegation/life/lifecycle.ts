import { advanceConnected } from './connected.ts'
import { advanceLeaving } from './leaving.ts'
import { type Circumstances, end, type Step } from './moves.ts'
import type { Delegation } from './record.ts'
import type { DelegationSignal } from './signals.ts'
import { advanceWaiting } from './waiting.ts'

const NOT_A_MEMBER = 'no longer a member of the Matrix room'

/** The SFU reports whole seconds, which are read as their end: up to 999 ms ahead without clock skew. */
const SECOND_MS = 999

/**
 * Corrects the times of a report for clock skew. A report from the future shows by how much the SFU's
 * clock is ahead; its times are moved back, or an old connection would pass for a new one.
 */
function asOfNow(signal: DelegationSignal, now: number): DelegationSignal {
  if (!('happenedBy' in signal) || signal.happenedBy === undefined) return signal
  const aheadMs = Math.max(0, signal.happenedBy - SECOND_MS - now)
  const { connectedBy, happenedBy } = signal
  const began = connectedBy === undefined ? {} : { connectedBy: connectedBy - aheadMs }
  return { ...signal, ...began, happenedBy: Math.min(happenedBy, now) }
}

/**
 * Applies a signal to a delegation. A signal that has no meaning in the current state changes nothing.
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
 *
 * - `waiting`: for the delay or an hour, whichever is shorter. The SFU is asked after about 1 s, then ever
 *   more seldom, up to every 60 s.
 * - `connected`: the event is restarted at once, then every 80 % of the delay. The SFU is asked once between
 *   two restarts, or as often as configured.
 * - `leaving`: the event is sent. A failure is followed by another attempt after about 1 s, then ever later,
 *   up to 60 s.
 *
 * Whoever is no longer a member of the Matrix room is dropped in any state.
 *
 * The homeserver sends the event by itself at the deadline: the last successful restart plus the delay.
 * `dropped` and `out of time` leave the event to that, so nobody stays listed in a call for longer, whatever
 * fails. An SFU that does not answer counts as "unknown": no leave is sent, and restarts go on.
 *
 * Promise: as long as some replica is back within 20 % of the delay, no delegation is lost, and no leave is
 * sent for a participant who is connected, whatever was killed or away meanwhile.
 */
export function advance(
  delegation: Delegation,
  reported: DelegationSignal,
  circumstances: Circumstances,
): Step {
  if (reported.type === 'expelled') return end(delegation, 'dropped', NOT_A_MEMBER)
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
