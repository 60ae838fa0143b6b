import { backoffMs } from './backoff.ts'
import type { Connected } from './delegation.ts'
import type { DelegationEvent, Departed, Joined } from './events.ts'
import {
  type Circumstances,
  checkIntervalMs,
  end,
  idOf,
  isAfter,
  isSurelyAfter,
  leave,
  restartIntervalMs,
  retryInMs,
  type Step,
  stay,
} from './steps.ts'

/** Tells whether it is surely this connection that has ended, and not an earlier or later one. */
function isOwnDeparture(connected: Connected, event: Departed): boolean {
  if (event.type !== 'room-finished' && event.replaced) return false
  if (connected.participantId !== undefined && event.participantId !== undefined) {
    return connected.participantId === event.participantId
  }
  return isSurelyAfter(connected.connectedAt, event)
}

/** Takes another connection for the participant's one only if it may be later. */
function connectAgain(connected: Connected, event: Joined, now: number): Connected {
  const { participantId = connected.participantId } = event
  if (participantId === connected.participantId) return connected
  if (connected.participantId === undefined) return { ...connected, ...idOf(event) }
  if (!isAfter(connected.connectedAt, event)) return { ...connected, checkAt: now }
  return { ...connected, ...idOf(event), connectedAt: now }
}

/** What comes of an event while the participant is connected. */
export function advanceConnected(
  connected: Connected,
  event: DelegationEvent,
  around: Circumstances,
): Step {
  const { now, random, sanityCheckMs } = around
  switch (event.type) {
    case 'due':
      if (now >= connected.deadlineAt && !around.storeWasAway) {
        return end(connected, 'dropped', 'the deadline passed without a successful restart')
      }
      return { next: connected, action: now >= connected.restartAt ? 'restart' : 'check-presence' }
    case 'joined':
      return stay(connectAgain(connected, event, now))
    case 'left':
    case 'aborted':
    case 'room-finished':
      if (isOwnDeparture(connected, event)) return leave(connected, event, around)
      return stay({ ...connected, checkAt: now })
    case 'present': {
      const checkAt = now + checkIntervalMs(connected, sanityCheckMs)
      return stay({ ...connected, ...idOf(event), checkAt, checkFailures: 0 })
    }
    case 'absent':
      return leave(connected, { ...idOf(connected), cause: 'confirmed absent' }, around)
    case 'presence-unknown': {
      const checkFailures = connected.checkFailures + 1
      return stay({ ...connected, checkFailures, checkAt: now + backoffMs(checkFailures, random) })
    }
    case 'restarted': {
      const restartAt = event.at + restartIntervalMs(connected)
      return stay({
        ...connected,
        failures: 0,
        restartAt,
        deadlineAt: event.at + connected.delayMs,
      })
    }
    case 'attempt-failed': {
      const failures = connected.failures + 1
      const waitMs = retryInMs(failures, around, connected.deadlineAt, event.retryAfterMs)
      return stay({ ...connected, failures, restartAt: now + waitMs })
    }
    case 'event-gone':
      return end(connected, 'dropped', 'the delayed event is gone')
    case 'client-api-unresolvable':
      return end(connected, 'dropped', 'the client API cannot be located')
    case 'doubt':
      return stay({ ...connected, checkAt: now })
    default:
      return stay(connected)
  }
}
