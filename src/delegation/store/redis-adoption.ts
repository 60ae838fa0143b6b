import { memberOf, textMember } from '../../lib/json.ts'
import type { Waiting } from '../life/record.ts'
import { accept } from '../life/waiting.ts'
import { isDelegation } from './records.ts'

const MS_IN_NS = 1e6

/** Go writes "never" as the year 1. */
function momentOf(value: string | undefined): number | undefined {
  const at = Date.parse(value ?? '')
  return Number.isNaN(at) || at <= 0 ? undefined : at
}

/**
 * Converts an entry of lk-jwt-service into a delegation:
 * `{"Params": {"DelayId", "DelayTimeout" (nanoseconds), "ServerName", "LiveKitRoom",
 * "LiveKitIdentity"}, "RestartedAt" (RFC 3339)}`.
 *
 * lk-jwt-service sets `RestartedAt` at acceptance already, so the entry does not tell whether the
 * participant has joined. The SFU is asked at once, and the event is restarted until it answers.
 *
 * @returns `'expired'` when its deadline has passed, `undefined` when it is not such an entry
 */
export function adopt(
  entry: unknown,
  now: number,
  generation: string,
): Waiting | 'expired' | undefined {
  const params = memberOf(entry, 'Params')
  const delayTimeout = memberOf(params, 'DelayTimeout')
  const delayMs = typeof delayTimeout === 'number' ? Math.floor(delayTimeout / MS_IN_NS) : 0
  const accepted = {
    room: textMember(params, 'LiveKitRoom') ?? '',
    identity: textMember(params, 'LiveKitIdentity') ?? '',
    serverName: textMember(params, 'ServerName') ?? '',
    delayId: textMember(params, 'DelayId') ?? '',
    generation,
    delayMs,
  }
  const complete = Object.values(accepted).every((value) => value !== '' && value !== 0)
  if (!complete || delayMs < 0) return undefined

  const waiting = accept(accepted, { now, random: 0, sanityCheckMs: 0 })
  const deadlineAt = (momentOf(textMember(entry, 'RestartedAt')) ?? now) + delayMs
  const adopted = {
    ...waiting,
    deadlineAt,
    waitUntil: Math.min(waiting.waitUntil, deadlineAt),
    checkAt: now,
    // Leaves time for the check, and still comes before the deadline.
    restartAt: Math.min(now + delayMs / 10, (now + deadlineAt) / 2),
  }
  // Neither times beyond all dates nor lone surrogates could be read again.
  if (!isDelegation(adopted)) return undefined
  return deadlineAt <= now ? 'expired' : adopted
}
