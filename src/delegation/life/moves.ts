import type { Connected, Delegation, Leaving, Waiting } from './record.ts'
import type { ConnectionReport } from './signals.ts'
import { checkIntervalMs, HOUR_MS } from './timing.ts'

const MIN_LEAVING_MS = 1_000

/** What is to be done for a delegation, outside. */
export type Action = 'check-presence' | 'restart' | 'send'

/** How a delegation ends: `dropped` leaves the event to the homeserver. */
export type End = 'dropped' | 'finished'

/** A change of state. */
export interface Transition {
  readonly from: Delegation['state']
  readonly to: Delegation['state'] | End
  readonly cause: string
}

/** What comes of a signal. */
export interface Step {
  /** The delegation from now on; `undefined` when it has ended. */
  readonly next: Delegation | undefined
  readonly action?: Action
  readonly transition?: Transition
}

/** What a decision depends on beside the delegation and the event. */
export interface Circumstances {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** From 0 up to, not including, 1. */
  readonly random: number
  /** How often presence is re-checked while connected; 0 for no more often than restarts. */
  readonly sanityCheckMs: number
  /**
   * Whether the store was away until a moment ago. A deadline that has passed may then have been moved
   * by restarts from memory: the homeserver is asked.
   */
  readonly storeWasAway?: boolean
}

/** Forgets that the SFU has said "absent". */
export function withoutAbsence<T extends Waiting | Connected>(delegation: T): T {
  const { absentSince, ...rest } = delegation
  return rest as T
}

/** The state stays. */
export function stay(next: Delegation): Step {
  return { next }
}

/** The delegation ends. */
export function end(from: Delegation, to: End, cause: string): Step {
  return { next: undefined, transition: { from: from.state, to, cause } }
}

function move(from: Delegation, next: Delegation, cause: string): Step {
  return { next, transition: { from: from.state, to: next.state, cause } }
}

function base({ state, ...delegation }: Delegation) {
  const { room, identity, generation, serverName, clientApiUrl, delayId, delayMs } = delegation
  const { acceptedAt, deadlineAt, userId } = delegation
  const known = {
    ...(userId === undefined ? {} : { userId }),
    ...(clientApiUrl === undefined ? {} : { clientApiUrl }),
  }
  const key = { room, identity, generation, serverName, ...known }
  return { ...key, delayId, delayMs, acceptedAt, deadlineAt, failures: 0 }
}

/** The ID of a connection as a member to be spread. */
export function idOf({ participantId }: { readonly participantId?: string | undefined }) {
  return participantId === undefined ? {} : { participantId }
}

/** The participant is on the SFU now. */
export function connect(
  from: Waiting | Leaving,
  connection: { readonly participantId?: string | undefined },
  cause: string,
  { now, sanityCheckMs }: Circumstances,
): Step {
  const untilCheckMs = checkIntervalMs(from, sanityCheckMs)
  const next: Connected = {
    ...base(from),
    ...idOf(connection),
    state: 'connected',
    connectedAt: now,
    restartAt: now,
    // Between two restarts, unless it was in doubt already whether the participant is there.
    checkAt: from.state === 'leaving' ? now : now + untilCheckMs / 2,
    checkFailures: 0,
  }
  return move(from, next, cause)
}

/** The participant is gone: the event is to be sent. */
export function leave(
  from: Waiting | Connected,
  { cause, ...connection }: Pick<ConnectionReport, 'cause' | 'participantId'>,
  { now }: Circumstances,
): Step {
  const untilDeadline = Math.max(from.deadlineAt - now, MIN_LEAVING_MS)
  const next: Leaving = {
    ...base(from),
    ...(from.state === 'connected' ? idOf(from) : {}),
    ...idOf(connection),
    state: 'leaving',
    giveUpAt: now + Math.min(untilDeadline, HOUR_MS),
    sendAt: now,
  }
  return move(from, next, cause)
}
