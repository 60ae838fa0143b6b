import { backoffMs } from './backoff.ts'
import type { Waiting } from './delegation.ts'
import type { DelegationEvent, Ended } from './events.ts'
import {
  type Circumstances,
  connect,
  end,
  isAfter,
  isSurelyAfter,
  leave,
  type Step,
  stay,
  waitWithin,
} from './steps.ts'

const HOUR_MS = 3_600_000
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
  return {
    ...accepted,
    state: 'waiting',
    acceptedAt: now,
    deadlineAt: now + accepted.delayMs,
    failures: 0,
    waitUntil: now + Math.min(HOUR_MS, accepted.delayMs),
    checkAt: now + backoffMs(1, random),
  }
}

function checkLater(waiting: Waiting, { now, random }: Circumstances): Waiting {
  const failures = waiting.failures + 1
  // Whoever has come unnoticed is to be found before the homeserver's timer runs out.
  const untilEndMs = now < waiting.waitUntil ? waiting.waitUntil - now : Number.POSITIVE_INFINITY
  const checkAt = now + waitWithin(untilEndMs, backoffMs(failures + 1, random))
  // A wait that has run out goes on until somebody knows whether the participant is there.
  const waitUntil = now < waiting.waitUntil ? waiting.waitUntil : checkAt
  return { ...waiting, failures, checkAt, waitUntil }
}

/**
 * Tells whether it is another connection of the participant that has ended. Whoever comes back within
 * the second is known by when the connection that has ended began.
 */
function isOther({ acceptedAt }: Waiting, event: Ended): boolean {
  if (event.replaced || !isAfter(acceptedAt, event)) return true
  const { connectedBy = Number.POSITIVE_INFINITY } = event
  return connectedBy < acceptedAt && !isSurelyAfter(acceptedAt, event)
}

/** What comes of an event while the participant is expected. */
export function advanceWaiting(
  waiting: Waiting,
  event: DelegationEvent,
  around: Circumstances,
): Step {
  const { now } = around
  switch (event.type) {
    case 'due':
      if (now > waiting.deadlineAt + LATE_MS && !around.storeWasAway) {
        return end(waiting, 'dropped', 'the deadline passed while nobody could tell')
      }
      return { next: waiting, action: 'check-presence' }
    case 'joined':
      if (isAfter(waiting.acceptedAt, event)) return connect(waiting, event, event.cause, around)
      return stay({ ...waiting, checkAt: now })
    case 'present':
      return connect(waiting, event, 'found present', around)
    case 'absent':
      if (now >= waiting.waitUntil) return leave(waiting, { cause: 'the wait ran out' }, around)
      return stay(checkLater(waiting, around))
    case 'presence-unknown':
      return stay(checkLater(waiting, around))
    case 'aborted':
      if (isOther(waiting, event)) return stay({ ...waiting, checkAt: now })
      // The client may retry, and the homeserver's timer still runs.
      return end(waiting, 'dropped', event.cause)
    case 'left':
      if (isOther(waiting, event)) return stay({ ...waiting, checkAt: now })
      return event.onPurpose ? leave(waiting, event, around) : stay(waiting)
    case 'doubt':
      return stay({ ...waiting, checkAt: now })
    default:
      return stay(waiting)
  }
}
