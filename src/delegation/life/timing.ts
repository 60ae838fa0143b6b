import { backoffMs } from './backoff.ts'
import type { Connected, Delegation, Leaving, Waiting } from './record.ts'
import type { ConnectionReport } from './signals.ts'

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

/** What comes of an event. */
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

const HOUR_MS = 3_600_000
const SECOND_MS = 1_000
/** How far the clock of the SFU may be ahead. */
const CLOCK_SKEW_MS = 5_000
const RESTART_SHARE = 0.8
/** However short the delay, webhooks tell of most departures. */
const MIN_CHECK_MS = 10_000
const MIN_LEAVING_MS = 1_000
const MIN_RETRY_MS = 500
const MIN_LAST_MARGIN_MS = 1_000
const LAST_MARGIN_SHARE = 0.05
const SHORT_DELAY_SHARE = 0.1
/**
 * For how long the SFU may say "absent" of somebody who is connected: when a connection replaces
 * another one, it drops the former before it knows of the new one.
 */
const REPLACING_MS = 2_000

/** How long after a successful restart the next one is due. */
export function restartIntervalMs({ delayMs }: Delegation): number {
  return delayMs * RESTART_SHARE
}

/** How long after a successful check of presence the next one is due while connected. */
export function checkIntervalMs(delegation: Delegation, sanityCheckMs: number): number {
  const interval = Math.max(Math.min(restartIntervalMs(delegation), HOUR_MS), MIN_CHECK_MS)
  return sanityCheckMs > 0 ? Math.min(sanityCheckMs, interval) : interval
}

/** How long to wait at least before an attempt is repeated. */
export function shortestRetryMs({ delayMs }: Delegation): number {
  return Math.min(MIN_RETRY_MS, delayMs * SHORT_DELAY_SHARE)
}

/**
 * Shortens a wait so that something is tried again before a deadline, however close it is.
 *
 * @param untilMs - how long it is until the deadline
 * @param shortestMs - how long to wait at least
 */
export function waitWithin(untilMs: number, waitMs: number, shortestMs = MIN_RETRY_MS): number {
  return Math.min(waitMs, Math.max(untilMs / 2, shortestMs))
}

/**
 * When to try again after an attempt failed. Whatever the homeserver asks for, one more attempt comes
 * shortly before the deadline: its limit may have been lifted long before.
 *
 * @param deadlineAt - after which nothing is tried any more
 * @param retryAfterMs - what the homeserver asks for; neither at once again and again nor for ever
 */
export function retryAt(
  delegation: Delegation,
  { now, random }: Pick<Circumstances, 'now' | 'random'>,
  deadlineAt: number,
  retryAfterMs: number | undefined,
): number {
  const shortestMs = shortestRetryMs(delegation)
  const untilMs = deadlineAt - now
  const waitMs =
    retryAfterMs === undefined
      ? waitWithin(untilMs, backoffMs(delegation.failures + 1, random), shortestMs)
      : Math.max(retryAfterMs, shortestMs)
  const marginMs = Math.max(MIN_LAST_MARGIN_MS, delegation.delayMs * LAST_MARGIN_SHARE)
  const lastInMs = untilMs > marginMs ? untilMs - marginMs : Math.max(untilMs / 2, shortestMs)
  return now + Math.min(waitMs, lastInMs, HOUR_MS)
}

/** Forgets that the SFU has said "absent". */
export function withoutAbsence<T extends Waiting | Connected>(delegation: T): T {
  const { absentSince, ...rest } = delegation
  return rest as T
}

/** When a second look can tell whether somebody who was absent first is gone. */
export function confirmAt(absentSince: number): number {
  return absentSince + REPLACING_MS
}

/** When to look whether the connection that replaces another one is there. */
export function lookForReplacementAt(now: number, restartAt = Number.POSITIVE_INFINITY): number {
  // Before the next restart, which must not wait for the answer.
  return Math.min(now + REPLACING_MS, now + Math.max((restartAt - now) / 2, 0))
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

/** Tells whether a report may be of something that happened after a moment. */
export function isAfter(moment: number, { happenedBy }: ConnectionReport): boolean {
  return happenedBy === undefined || happenedBy >= moment
}

/**
 * Tells whether a report is of something that happened after a moment, though it tells whole seconds
 * and the clock of the SFU may be ahead.
 */
export function isSurelyAfter(moment: number, { happenedBy }: ConnectionReport): boolean {
  return happenedBy !== undefined && happenedBy - SECOND_MS - CLOCK_SKEW_MS >= moment
}
