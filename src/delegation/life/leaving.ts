import { type Circumstances, connect, end, type Step, stay } from './moves.ts'
import type { Leaving } from './record.ts'
import type { DelegationEvent } from './signals.ts'
import { retryAt } from './timing.ts'

/** Until when presence may be checked before an attempt, which must not wait for the SFU for ever. */
export function lookUntil({ sendAt, giveUpAt }: Leaving): number {
  return (sendAt + giveUpAt) / 2
}

/** Tells that the look before the next attempt has found nobody, or that the SFU does not say. */
function looked({ lookAgain, ...leaving }: Leaving, now: number): Leaving {
  return lookAgain === undefined ? leaving : { ...leaving, sendAt: now }
}

function isSameConnection(
  { participantId }: Leaving,
  event: { readonly participantId?: string | undefined },
): boolean {
  return participantId !== undefined && participantId === event.participantId
}

/** What comes of an event while the delayed event is to be sent. */
export function advanceLeaving(
  leaving: Leaving,
  event: DelegationEvent,
  around: Circumstances,
): Step {
  const { now } = around
  switch (event.type) {
    case 'due':
      if (now >= leaving.giveUpAt && !around.storeWasAway) {
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
      const retryAfterMs = event.type === 'attempt-failed' ? event.retryAfterMs : undefined
      const sendAt = retryAt(leaving, around, leaving.giveUpAt, retryAfterMs)
      return stay({ ...leaving, failures, sendAt, lookAgain: true })
    }
    case 'joined':
      if (isSameConnection(leaving, event)) break
      // Whoever is back before the event could be sent has not left; the SFU is asked at once.
      return connect(leaving, event, event.cause, around)
    case 'present':
      if (isSameConnection(leaving, event)) return stay(looked(leaving, now))
      return connect(leaving, event, 'found present', around)
    case 'absent':
    case 'presence-unknown':
      return stay(looked(leaving, now))
    default:
      break
  }
  return stay(leaving)
}
