import { memberOf, textMember } from '../lib/json.ts'
import type { Connected, Delegation } from './delegation.ts'
import { accept } from './waiting.ts'

const MS_IN_NS = 1e6

/** Go writes "never" as the year 1. */
function momentOf(value: string | undefined): number | undefined {
  const at = Date.parse(value ?? '')
  return Number.isNaN(at) || at <= 0 ? undefined : at
}

/**
 * Makes a delegation of an entry that lk-jwt-service has written:
 * `{"Params": {"DelayId", "DelayTimeout" (nanoseconds), "ServerName", "LiveKitRoom",
 * "LiveKitIdentity"}, "RestartedAt" (RFC 3339)}`.
 *
 * One whose event was restarted before is taken for connected, with presence to be checked first.
 *
 * @returns `'expired'` when its deadline has passed, `undefined` when it is no such entry
 */
export function adopt(
  entry: unknown,
  now: number,
  generation: string,
): Delegation | 'expired' | undefined {
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
  const restartedAt = momentOf(textMember(entry, 'RestartedAt'))
  if (restartedAt === undefined) return { ...waiting, checkAt: now }
  const deadlineAt = restartedAt + delayMs
  if (deadlineAt <= now) return 'expired'
  const { waitUntil, ...base } = waiting
  const connected: Connected = {
    ...base,
    state: 'connected',
    deadlineAt,
    connectedAt: restartedAt,
    // The check comes first, and the restart in time all the same.
    restartAt: Math.min(now + delayMs / 10, (now + deadlineAt) / 2),
    checkAt: now,
    checkFailures: 0,
  }
  return connected
}
