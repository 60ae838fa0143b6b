import { type Circumstances, end, idOf, leave, type Step, stay, withoutAbsence } from './moves.ts'
import type { Connected } from './record.ts'
import type { DelegationSignal, Departed, Joined } from './signals.ts'
import {
  backoffMs,
  checkIntervalMs,
  confirmAt,
  isAfter,
  lookForReplacementAt,
  restartIntervalMs,
  retryAt,
} from './timing.ts'

/**
 * Handles the end of a connection. Only its ID proves that it was the participant's own.
 *
 * Promise: a webhook about the participant's own connection ends the delegation at once; every other
 * one makes the service ask the SFU.
 */
function depart(connected: Connected, signal: Departed, circumstances: Circumstances): Step {
  const { now } = circumstances
  if (signal.type !== 'room-finished') {
    if (signal.replaced) {
      const checkAt = lookForReplacementAt(now, connected.restartAt)
      return stay({ ...withoutAbsence(connected), checkAt, replacedAt: now })
    }
    const { participantId } = signal
    if (participantId !== undefined && participantId === connected.participantId) {
      return leave(connected, signal, circumstances)
    }
  }
  return stay({ ...connected, checkAt: now })
}

/**
 * Handles an "absent" from the SFU.
 *
 * Promise: a second look about 2 s later confirms an "absent" before a leave is sent.
 */
function miss(connected: Connected, circumstances: Circumstances): Step {
  const { now } = circumstances
  const { absentSince = now, replacedAt = Number.NEGATIVE_INFINITY } = connected
  // The SFU may not know of the new connection yet.
  if (now < confirmAt(replacedAt)) return stay({ ...connected, checkAt: confirmAt(replacedAt) })
  if (now < confirmAt(absentSince)) {
    const checkAt = confirmAt(absentSince)
    return stay({ ...connected, absentSince, checkAt, checkFailures: 0 })
  }
  // No webhook has ended this connection, so a later "present" may well be about it: forget its ID.
  const { participantId, ...unknown } = connected
  return leave(unknown, { cause: 'confirmed absent' }, circumstances)
}

/** Clears "absent" when a connection is reported, unless that connection is older than the "absent". */
function rejoin(connected: Connected, signal: Joined, now: number): Connected {
  const next = connectAgain(connected, signal, now)
  const { absentSince } = connected
  if (absentSince === undefined || !isAfter(absentSince, signal)) return next
  return { ...withoutAbsence(next), checkAt: lookForReplacementAt(now, connected.restartAt) }
}

/** Switches to another connection only if it may be newer than the known one. */
function connectAgain(connected: Connected, signal: Joined, now: number): Connected {
  const { participantId = connected.participantId } = signal
  if (participantId === connected.participantId) return connected
  if (connected.participantId === undefined) return { ...connected, ...idOf(signal) }
  if (!isAfter(connected.connectedAt, signal)) return { ...connected, checkAt: now }
  return { ...connected, ...idOf(signal), connectedAt: now }
}

/** Applies a signal while the participant is connected. */
export function advanceConnected(
  connected: Connected,
  signal: DelegationSignal,
  circumstances: Circumstances,
): Step {
  const { now, random, sanityCheckMs } = circumstances
  switch (signal.type) {
    case 'due':
      // Promise: what cannot be kept is left to the homeserver's own timer.
      if (now >= connected.deadlineAt && !circumstances.storeWasAway) {
        return end(connected, 'dropped', 'the deadline passed without a successful restart')
      }
      return { next: connected, action: now >= connected.restartAt ? 'restart' : 'check-presence' }
    case 'joined':
      return stay(rejoin(connected, signal, now))
    case 'left':
    case 'aborted':
    case 'room-finished':
      return depart(connected, signal, circumstances)
    case 'present': {
      const checkAt = now + checkIntervalMs(connected, sanityCheckMs)
      return stay({ ...withoutAbsence(connected), ...idOf(signal), checkAt, checkFailures: 0 })
    }
    case 'absent':
      return miss(connected, circumstances)
    case 'presence-unknown': {
      const checkFailures = connected.checkFailures + 1
      return stay({ ...connected, checkFailures, checkAt: now + backoffMs(checkFailures, random) })
    }
    case 'restarted': {
      const restartAt = signal.at + restartIntervalMs(connected)
      return stay({
        ...connected,
        failures: 0,
        restartAt,
        deadlineAt: signal.at + connected.delayMs,
      })
    }
    case 'attempt-failed': {
      const restartAt = retryAt(connected, circumstances, connected.deadlineAt, signal.retryAfterMs)
      return stay({ ...connected, failures: connected.failures + 1, restartAt })
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
