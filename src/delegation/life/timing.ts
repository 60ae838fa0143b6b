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

/** Upper bound of several waits. */
export const HOUR_MS = 3_600_000
const SECOND_MS = 1_000

/** Tolerated clock skew: how far the SFU's clock may be ahead. */
const CLOCK_SKEW_MS = 5_000
const RESTART_SHARE = 0.8

/** Webhooks report most departures, so even a short delay needs no more frequent checks. */
const MIN_CHECK_MS = 10_000
const MIN_RETRY_MS = 500
const MIN_LAST_MARGIN_MS = 1_000
const LAST_MARGIN_SHARE = 0.05
const SHORT_DELAY_SHARE = 0.1

/**
 * How long the SFU may report a connected participant as absent: when one connection replaces another,
 * the SFU drops the old one before it knows the new one.
 */
const REPLACING_MS = 2_000

/**
 * Interval between restarts.
 *
 * Promise: 20 % of the delay remain for some replica to be back.
 */
export function restartIntervalMs({ delayMs }: Delegation): number {
  return delayMs * RESTART_SHARE
}

/** Interval between presence checks while connected. */
export function checkIntervalMs(delegation: Delegation, sanityCheckMs: number): number {
  const interval = Math.max(Math.min(restartIntervalMs(delegation), HOUR_MS), MIN_CHECK_MS)
  return sanityCheckMs > 0 ? Math.min(sanityCheckMs, interval) : interval
}

/** Shortest pause before a retry. */
export function shortestRetryMs({ delayMs }: Delegation): number {
  return Math.min(MIN_RETRY_MS, delayMs * SHORT_DELAY_SHARE)
}

/**
 * Shortens a wait so that a retry still happens before the deadline.
 *
 * @param untilMs - time left until the deadline
 * @param shortestMs - shortest wait
 */
export function waitWithin(untilMs: number, waitMs: number, shortestMs = MIN_RETRY_MS): number {
  return Math.min(waitMs, Math.max(untilMs / 2, shortestMs))
}

/**
 * When to retry after a failed attempt. Even if the homeserver asks for a longer pause, one last attempt
 * is made shortly before the deadline, since its rate limit may be over by then.
 *
 * @param deadlineAt - no attempt is made after it
 * @param retryAfterMs - pause that the homeserver asks for; obeyed within bounds
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

/** When a second "absent" proves that the participant is gone. */
export function confirmAt(absentSince: number): number {
  return absentSince + REPLACING_MS
}

/** When to check that a replacing connection has arrived. */
export function lookForReplacementAt(now: number, restartAt = Number.POSITIVE_INFINITY): number {
  // Well before the next restart, which must not wait for the answer.
  return Math.min(now + REPLACING_MS, now + Math.max((restartAt - now) / 2, 0))
}

/** Whether a report may be about something after `moment`. */
export function isAfter(moment: number, { happenedBy }: ConnectionReport): boolean {
  return happenedBy === undefined || happenedBy >= moment
}

/** Whether a report is certainly about something after `moment`, despite whole seconds and clock skew. */
export function isSurelyAfter(moment: number, { happenedBy }: ConnectionReport): boolean {
  return happenedBy !== undefined && happenedBy - SECOND_MS - CLOCK_SKEW_MS >= moment
}
