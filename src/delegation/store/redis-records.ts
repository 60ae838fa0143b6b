import { memberOf, parseJson } from '../../lib/json.ts'
import type { Delegation, ParticipantKey } from '../life/record.ts'
import { isDelegation } from './records.ts'
import type { Stored } from './store.ts'

/** Field of the hash that holds the delegation of a participant. */
export function fieldOf({ room, identity }: ParticipantKey): string {
  return JSON.stringify([room, identity])
}

/** The participant that a field names; `undefined` for a field of other programs. */
export function keyOf(field: string): ParticipantKey | undefined {
  const parts = parseJson(field)
  if (!Array.isArray(parts) || parts.length !== 2) return undefined
  const [room, identity]: readonly unknown[] = parts
  return typeof room === 'string' && typeof identity === 'string' ? { room, identity } : undefined
}

/** Members and prefixes of the user index for a delegation; `nobody` is the member without a user. */
export function userEntriesOf(delegation: Delegation) {
  const { serverName, userId = '' } = delegation
  const field = fieldOf(delegation)
  return {
    member: JSON.stringify([serverName, userId, field]),
    nobody: JSON.stringify([serverName, '', field]),
    userPrefix: `${JSON.stringify([serverName, userId]).slice(0, -1)},`,
    serverPrefix: `${JSON.stringify([serverName]).slice(0, -1)},`,
  }
}

const NS_IN_MS = 1e6

/**
 * Serialises a delegation for the hash. The fields that lk-jwt-service reads have its names, so that an
 * operator can switch back to it.
 */
export function toText({
  room,
  identity,
  serverName,
  delayId,
  delayMs,
  ...rest
}: Delegation): string {
  return JSON.stringify({
    Params: {
      DelayId: delayId,
      DelayTimeout: delayMs * NS_IN_MS,
      ServerName: serverName,
      LiveKitRoom: room,
      LiveKitIdentity: identity,
    },
    RestartedAt: new Date(rest.deadlineAt - delayMs).toISOString(),
    ...rest,
  })
}

/** A value of the hash, as it was read. */
export type Entry =
  | { readonly kind: 'ours'; readonly stored: Stored }
  /** Written by this program, but unreadable. */
  | { readonly kind: 'broken' }
  /** Written by another program. */
  | { readonly kind: 'foreign'; readonly value: unknown }

/** Only this program writes this into a value. */
const OUR_MARK = '"generation":"'

function delegationIn(value: object): unknown {
  if (!('Params' in value)) return value
  const { Params, RestartedAt, ...rest } = value as Readonly<Record<string, unknown>>
  const delayTimeout = memberOf(Params, 'DelayTimeout')
  return {
    room: memberOf(Params, 'LiveKitRoom'),
    identity: memberOf(Params, 'LiveKitIdentity'),
    serverName: memberOf(Params, 'ServerName'),
    delayId: memberOf(Params, 'DelayId'),
    delayMs: typeof delayTimeout === 'number' ? delayTimeout / NS_IN_MS : undefined,
    ...rest,
  }
}

/** Reads a value of the hash, in this layout or in the first one. */
export function readEntry(text: string): Entry {
  const value = parseJson(text)
  if (!text.includes(OUR_MARK)) return { kind: 'foreign', value }
  const delegation = typeof value === 'object' && value !== null ? delegationIn(value) : undefined
  return isDelegation(delegation)
    ? { kind: 'ours', stored: { delegation, text } }
    : { kind: 'broken' }
}

/** The delegation in a value, as a list of one; empty if there is none of ours. */
export function toStored(value: unknown): Stored[] {
  const entry = typeof value === 'string' ? readEntry(value) : undefined
  return entry?.kind === 'ours' ? [entry.stored] : []
}

/** The elements of a list reply as strings. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** Groups a flat list into pairs. */
export function pairs(flat: readonly string[]): (readonly [string, string])[] {
  const result: (readonly [string, string])[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) result.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return result
}
