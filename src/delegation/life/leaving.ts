import { type Circumstances, connect, end, type Step, stay } from './moves.ts'
import type { Leaving } from './record.ts'
import type { DelegationSignal } from './signals.ts'
import { retryAt } from './timing.ts'

/** The latest time to check presence before a retry; after it, the event is sent without an answer of the SFU. */
export function lookUntil({ sendAt, giveUpAt }: Leaving): number {
  return (sendAt + giveUpAt) / 2
}

/** Notes that the check before a retry found nobody, or got no answer: the event is sent now. */
function looked({ lookAgain, ...leaving }: Leaving, now: number): Leaving {
  return lookAgain === undefined ? leaving : { ...leaving, sendAt: now }
}

function isSameConnection(
  { participantId }: Leaving,
  signal: { readonly participantId?: string | undefined },
): boolean {
  return participantId !== undefined && participantId === signal.participantId
}

/** Applies a signal while the delayed event is to be sent. */
export function advanceLeaving(
  leaving: Leaving,
  signal: DelegationSignal,
  circumstances: Circumstances,
): Step {
  const { now } = circumstances
  switch (signal.type) {
    case 'due':
      if (now >= leaving.giveUpAt && !circumstances.storeWasAway) {
        return end(leaving, 'finished', 'out of time')
      }
      if (leaving.lookAgain === undefined || now >= lookUntil(leaving)) {
        return { next: leaving, action: 'send' }
      }
      return { next: leaving, action: 'check-presence' }
    case 'sent':
      return end(leaving, 'finished', 'sent')
    case 'event-gone':
      return end(leaving, 'finished', 'the delayed event was already sent or cancelled')
    case 'attempt-failed':
    case 'client-api-unresolvable': {
      const failures = leaving.failures + 1
      const retryAfterMs = signal.type === 'attempt-failed' ? signal.retryAfterMs : undefined
      const sendAt = retryAt(leaving, circumstances, leaving.giveUpAt, retryAfterMs)
      return stay({ ...leaving, failures, sendAt, lookAgain: true })
    }
    case 'joined':
      if (isSameConnection(leaving, signal)) break
      // The participant came back before the event was sent, so they have not left.
      return connect(leaving, signal, signal.cause, circumstances)
    case 'present':
      if (isSameConnection(leaving, signal)) return stay(looked(leaving, now))
      return connect(leaving, signal, 'found present', circumstances)
    case 'absent':
    case 'presence-unknown':
      return stay(looked(leaving, now))
    default:
      break
  }
  return stay(leaving)
}
