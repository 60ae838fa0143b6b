import type { Connected, Delegation, Leaving, Waiting } from './record.ts'
import type { ConnectionReport } from './signals.ts'
import { checkIntervalMs, HOUR_MS } from './timing.ts'

const MIN_LEAVING_MS = 1_000

/** A request that a delegation needs: to the SFU (`check-presence`) or to the homeserver. */
export type Action = 'check-presence' | 'restart' | 'send'

/** How a delegation ends. `dropped` leaves the delayed event to the homeserver's timer. */
export type End = 'dropped' | 'finished'

/** A change of state. */
export interface Transition {
  readonly from: Delegation['state']
  readonly to: Delegation['state'] | End
  readonly cause: string
}

/** The result of applying a signal. */
export interface Step {
  /** The delegation from now on; `undefined` when it has ended. */
  readonly next: Delegation | undefined
  readonly action?: Action
  readonly transition?: Transition
}

/** What a decision depends on besides the delegation and the signal. */
export interface Circumstances {
  /** Milliseconds since the epoch. */
  readonly now: number
  /** From 0 up to, not including, 1. */
  readonly random: number
  /** How often presence is re-checked while connected; 0 for no more often than restarts. */
  readonly sanityCheckMs: number
  /**
   * Whether the store was away until a moment ago. Replicas may then have restarted events from memory,
   * so a passed deadline in the store proves nothing and the homeserver is asked.
   */
  readonly storeWasAway?: boolean
}

/** Removes `absentSince`. */
export function withoutAbsence<T extends Waiting | Connected>(delegation: T): T {
  const { absentSince, ...rest } = delegation
  return rest as T
}

/** A step that keeps the state. */
export function stay(next: Delegation): Step {
  return { next }
}

/** A step that ends the delegation. */
export function end(from: Delegation, to: End, cause: string): Step {
  return { next: undefined, transition: { from: from.state, to, cause } }
}

function move(from: Delegation, next: Delegation, cause: string): Step {
  return { next, transition: { from: from.state, to: next.state, cause } }
}

function base({ state, ...delegation }: Delegation) {
  const { room, identity, generation, serverName, clientApiUrl, delayId, delayMs } = delegation
  const { acceptedAt, deadlineAt, userId, isVouched } = delegation
  const known = {
    ...(userId === undefined ? {} : { userId }),
    ...(clientApiUrl === undefined ? {} : { clientApiUrl }),
    ...(isVouched === undefined ? {} : { isVouched }),
  }
  const key = { room, identity, generation, serverName, ...known }
  return { ...key, delayId, delayMs, acceptedAt, deadlineAt, failures: 0 }
}

/** The ID of a connection, ready to be spread into a record. */
export function idOf({ participantId }: { readonly participantId?: string | undefined }) {
  return participantId === undefined ? {} : { participantId }
}

/** A step to `connected`. */
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
    // Checks fall between restarts; a participant who was taken for gone is checked at once.
    checkAt: from.state === 'leaving' ? now : now + untilCheckMs / 2,
    checkFailures: 0,
  }
  return move(from, next, cause)
}

/** A step to `leaving`. */
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
