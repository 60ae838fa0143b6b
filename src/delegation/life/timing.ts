import type { Circumstances } from './moves.ts'
import type { Delegation } from './record.ts'
import type { ConnectionReport } from './signals.ts'

const FIRST_MS = 1_000
const FACTOR = 1.5
const MAX_MS = 60_000
const MAX_EXPONENT = 20

/**
 * How long to wait before the next attempt: 1 s, growing by half each time, up to 60 s, ±50 %.
 *
 * @param failures - how many attempts in a row have failed
 * @param random - from 0 up to, not including, 1
 */
export function backoffMs(failures: number, random: number): number {
  const exponent = Math.min(Math.max(failures - 1, 0), MAX_EXPONENT)
  return Math.min(FIRST_MS * FACTOR ** exponent * (0.5 + random), MAX_MS)
}

/** As a bound of waits of several kinds. */
export const HOUR_MS = 3_600_000
const SECOND_MS = 1_000

/** How far the clock of the SFU may be ahead. */
const CLOCK_SKEW_MS = 5_000
const RESTART_SHARE = 0.8

/** However short the delay, webhooks tell of most departures. */
const MIN_CHECK_MS = 10_000
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

/** When a second look can tell whether somebody who was absent first is gone. */
export function confirmAt(absentSince: number): number {
  return absentSince + REPLACING_MS
}

/** When to look whether the connection that replaces another one is there. */
export function lookForReplacementAt(now: number, restartAt = Number.POSITIVE_INFINITY): number {
  // Before the next restart, which must not wait for the answer.
  return Math.min(now + REPLACING_MS, now + Math.max((restartAt - now) / 2, 0))
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
