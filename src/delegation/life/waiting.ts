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

/** Grace past the deadline; later, the homeserver has sent the event. */
const LATE_MS = 1_000

/** What is known about a delegation when it is accepted. */
export type Accepted = Pick<
  Waiting,
  | 'isVouched'
  | 'room'
  | 'identity'
  | 'generation'
  | 'serverName'
  | 'userId'
  | 'delayId'
  | 'delayMs'
  | 'clientApiUrl'
>

/** Creates a delegation in its first state. */
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
  // A participant whose webhook was lost must be found before the homeserver's timer runs out.
  const untilEndMs = now < waiting.waitUntil ? waiting.waitUntil - now : Number.POSITIVE_INFINITY
  const checkAt =
    now + waitWithin(untilEndMs, backoffMs(failures + 1, random), shortestRetryMs(waiting))
  // A wait that has run out goes on until the SFU can say whether the participant is there.
  const waitUntil = now < waiting.waitUntil ? waiting.waitUntil : checkAt
  return { ...waiting, failures, checkAt, waitUntil }
}

/**
 * Whether the connection that ended may be an earlier one: it was replaced, or it began before the
 * delegation was accepted and did not certainly end after that.
 *
 * Someone who hands over a new event while connected, and leaves within the same second, may be taken for
 * still waiting. That leave is sent when the wait ends.
 */
function isOther({ acceptedAt }: Waiting, signal: Ended): boolean {
  if (signal.replaced || !isAfter(acceptedAt, signal)) return true
  const { connectedBy = Number.POSITIVE_INFINITY } = signal
  return connectedBy < acceptedAt && !isSurelyAfter(acceptedAt, signal)
}

/** Handles the end of a connection. */
function depart(waiting: Waiting, signal: Ended, circumstances: Circumstances): Step {
  const { now } = circumstances
  if (signal.replaced) {
    const checkAt = lookForReplacementAt(now, waiting.restartAt)
    return stay({ ...withoutAbsence(waiting), checkAt })
  }
  if (isOther(waiting, signal)) return stay({ ...waiting, checkAt: now })
  // The client may retry; meanwhile the homeserver's own timer runs.
  if (signal.type === 'aborted') return end(waiting, 'dropped', signal.cause)
  return signal.onPurpose ? leave(waiting, signal, circumstances) : stay(waiting)
}

/** Handles an "absent" from the SFU, which a second look confirms once the wait is over. */
function miss(adopted: Waiting, circumstances: Circumstances): Step {
  const { now } = circumstances
  // The SFU has answered, so an adopted entry needs no more restarts: it waits like any other.
  const { restartAt, ...waiting } = adopted
  const { absentSince = now } = waiting
  if (now < waiting.waitUntil) return stay(checkLater({ ...waiting, absentSince }, circumstances))
  const confirmedAt = confirmAt(absentSince)
  // A second look past the deadline is useless: the homeserver sends the event then anyway.
  if (now >= confirmedAt || confirmedAt > waiting.deadlineAt) {
    return leave(waiting, { cause: 'the wait ran out' }, circumstances)
  }
  return stay({ ...waiting, absentSince, waitUntil: confirmedAt, checkAt: confirmedAt })
}

/** Applies the outcome of a restart to an adopted entry. */
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

/** Applies a signal while the participant is expected. */
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
