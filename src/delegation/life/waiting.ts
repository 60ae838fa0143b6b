import {
  type Circumstances,
  connect,
  end,
  leave,
  type Step,
  stay,
  withoutAbsence,
} from './moves.ts'
import type { Waiting } from './record.ts'
import type { DelegationSignal, Ended } from './signals.ts'
import {
  backoffMs,
  confirmAt,
  HOUR_MS,
  isAfter,
  isSurelyAfter,
  lookForReplacementAt,
  restartIntervalMs,
  retryAt,
  shortestRetryMs,
  waitWithin,
} from './timing.ts'

/** How late a wait may end: the homeserver has sent the event by itself. */
const LATE_MS = 1_000

/** What is known of a delegation when it is accepted. */
export type Accepted = Pick<
  Waiting,
  | 'room'
  | 'identity'
  | 'generation'
  | 'serverName'
  | 'userId'
  | 'delayId'
  | 'delayMs'
  | 'clientApiUrl'
>

/** Starts the life of a delegation. */
export function accept(accepted: Accepted, { now, random }: Circumstances): Waiting {
  const waitMs = Math.min(HOUR_MS, accepted.delayMs)
  const waiting: Waiting = {
    ...accepted,
    state: 'waiting',
    acceptedAt: now,
    deadlineAt: now + accepted.delayMs,
    failures: 0,
    waitUntil: now + waitMs,
    checkAt: now,
  }
  const firstCheckMs = waitWithin(waitMs, backoffMs(1, random), shortestRetryMs(waiting))
  return { ...waiting, checkAt: now + firstCheckMs }
}

function checkLater(waiting: Waiting, { now, random }: Circumstances): Waiting {
  const failures = waiting.failures + 1
  // Whoever has come unnoticed is to be found before the homeserver's timer runs out.
  const untilEndMs = now < waiting.waitUntil ? waiting.waitUntil - now : Number.POSITIVE_INFINITY
  const checkAt =
    now + waitWithin(untilEndMs, backoffMs(failures + 1, random), shortestRetryMs(waiting))
  // A wait that has run out goes on until somebody knows whether the participant is there.
  const waitUntil = now < waiting.waitUntil ? waiting.waitUntil : checkAt
  return { ...waiting, failures, checkAt, waitUntil }
}

/**
 * Tells whether it may be another connection of the participant that has ended: it began before the
 * delegation was accepted, and did not surely end after that.
 */
function isOther({ acceptedAt }: Waiting, signal: Ended): boolean {
  if (signal.replaced || !isAfter(acceptedAt, signal)) return true
  const { connectedBy = Number.POSITIVE_INFINITY } = signal
  return connectedBy < acceptedAt && !isSurelyAfter(acceptedAt, signal)
}

/** What comes of the end of a connection. */
function depart(waiting: Waiting, signal: Ended, circumstances: Circumstances): Step {
  const { now } = circumstances
  if (signal.replaced) {
    const checkAt = lookForReplacementAt(now, waiting.restartAt)
    return stay({ ...withoutAbsence(waiting), checkAt })
  }
  if (isOther(waiting, signal)) return stay({ ...waiting, checkAt: now })
  // The client may retry, and the homeserver's timer still runs.
  if (signal.type === 'aborted') return end(waiting, 'dropped', signal.cause)
  return signal.onPurpose ? leave(waiting, signal, circumstances) : stay(waiting)
}

/** What comes of the SFU saying "absent", which counts when it still says so a while later. */
function miss(adopted: Waiting, circumstances: Circumstances): Step {
  const { now } = circumstances
  // The SFU has said something: whoever has not come yet has the time that the homeserver gives.
  const { restartAt, ...waiting } = adopted
  const { absentSince = now } = waiting
  if (now < waiting.waitUntil) return stay(checkLater({ ...waiting, absentSince }, circumstances))
  const confirmedAt = confirmAt(absentSince)
  // At the deadline the homeserver sends it in any case.
  if (now >= confirmedAt || confirmedAt > waiting.deadlineAt) {
    return leave(waiting, { cause: 'the wait ran out' }, circumstances)
  }
  return stay({ ...waiting, absentSince, waitUntil: confirmedAt, checkAt: confirmedAt })
}

/** What comes of restarting the event of an adopted entry. */
function keepAlive(waiting: Waiting, signal: DelegationSignal, circumstances: Circumstances): Step {
  switch (signal.type) {
    case 'restarted': {
      const deadlineAt = signal.at + waiting.delayMs
      const waitUntil = Math.min(deadlineAt, circumstances.now + HOUR_MS)
      const restartAt = signal.at + restartIntervalMs(waiting)
      return stay({ ...waiting, failures: 0, deadlineAt, waitUntil, restartAt })
    }
    case 'attempt-failed': {
      const restartAt = retryAt(waiting, circumstances, waiting.deadlineAt, signal.retryAfterMs)
      return stay({ ...waiting, failures: waiting.failures + 1, restartAt })
    }
    case 'event-gone':
      return end(waiting, 'dropped', 'the delayed event is gone')
    case 'client-api-unresolvable':
      return end(waiting, 'dropped', 'the client API cannot be located')
    default:
      return stay(waiting)
  }
}

/** What comes of a signal while the participant is expected. */
export function advanceWaiting(
  waiting: Waiting,
  signal: DelegationSignal,
  circumstances: Circumstances,
): Step {
  const { now } = circumstances
  switch (signal.type) {
    case 'due':
      if (now > waiting.deadlineAt + LATE_MS && !circumstances.storeWasAway) {
        return end(waiting, 'dropped', 'the deadline passed while nobody could tell')
      }
      return {
        next: waiting,
        action: now >= (waiting.restartAt ?? Infinity) ? 'restart' : 'check-presence',
      }
    case 'joined':
      if (isAfter(waiting.acceptedAt, signal))
        return connect(waiting, signal, signal.cause, circumstances)
      return stay({ ...withoutAbsence(waiting), checkAt: now })
    case 'present':
      return connect(waiting, signal, 'found present', circumstances)
    case 'absent':
      return miss(waiting, circumstances)
    case 'presence-unknown':
      return stay(checkLater(waiting, circumstances))
    case 'aborted':
    case 'left':
      return depart(waiting, signal, circumstances)
    case 'room-finished':
    case 'doubt':
      return stay({ ...waiting, checkAt: now })
    default:
      return waiting.restartAt === undefined
        ? stay(waiting)
        : keepAlive(waiting, signal, circumstances)
  }
}
