import type { Leaving } from './delegation.ts'
import type { DelegationEvent, Joined } from './events.ts'
import { type Circumstances, connect, end, retryInMs, type Step, stay } from './steps.ts'

function isSameConnection({ participantId }: Leaving, event: Joined): boolean {
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
      if (now < leaving.giveUpAt || around.storeWasAway) return { next: leaving, action: 'send' }
      return end(leaving, 'finished', 'out of time')
    case 'sent':
      return end(leaving, 'finished', 'sent')
    case 'event-gone':
      return end(leaving, 'finished', 'the delayed event was already sent or cancelled')
    case 'attempt-failed':
    case 'client-api-unresolvable': {
      const failures = leaving.failures + 1
      const retryAfterMs = event.type === 'attempt-failed' ? event.retryAfterMs : undefined
      const sendAt = now + retryInMs(failures, around, leaving.giveUpAt, retryAfterMs)
      return stay({ ...leaving, failures, sendAt })
    }
    case 'joined':
      if (isSameConnection(leaving, event)) break
      // Whoever is back before the event could be sent has not left; the SFU is asked at once.
      return connect(leaving, event, event.cause, around)
    default:
      break
  }
  return stay(leaving)
}
