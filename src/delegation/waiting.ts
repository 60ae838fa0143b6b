import { backoffMs } from './backoff.ts'
import type { Waiting } from './delegation.ts'
import type { DelegationEvent } from './events.ts'
import { type Circumstances, connect, end, isAfter, leave, type Step, stay } from './steps.ts'

const HOUR_MS = 3_600_000
/** How late a wait may end: the homeserver has sent the event by itself. */
const LATE_MS = 1_000

/** What is known of a delegation when it is accepted. */
export type Accepted = Pick<
  Waiting,
  'room' | 'identity' | 'generation' | 'serverName' | 'delayId' | 'delayMs' | 'clientApiUrl'
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
  const checkAt = now + backoffMs(failures + 1, random)
  // A wait that has run out goes on until somebody knows whether the participant is there.
  const waitUntil = now < waiting.waitUntil ? waiting.waitUntil : checkAt
  return { ...waiting, failures, checkAt, waitUntil }
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
      if (now > waiting.deadlineAt + LATE_MS) {
        return end(waiting, 'dropped', 'the deadline passed while nobody could tell')
      }
      return { next: waiting, action: 'check-presence' }
    case 'joined':
      if (isAfter(waiting.acceptedAt, event)) return connect(waiting, event, event.cause, around)
      return stay({ ...waiting, checkAt: now })
    case 'present':
      return connect(waiting, event, 'found present', around)
    case 'absent':
      if (now >= waiting.waitUntil) return leave(waiting, 'the wait ran out', around)
      return stay(checkLater(waiting, around))
    case 'presence-unknown':
      return stay(checkLater(waiting, around))
    case 'aborted':
      // The client may retry, and the homeserver's timer still runs.
      return isAfter(waiting.acceptedAt, event)
        ? end(waiting, 'dropped', event.cause)
        : stay(waiting)
    case 'left': {
      const leaves = event.onPurpose && isAfter(waiting.acceptedAt, event)
      return leaves ? leave(waiting, event.cause, around) : stay(waiting)
    }
    case 'doubt':
      return stay({ ...waiting, checkAt: now })
    default:
      return stay(waiting)
  }
}
