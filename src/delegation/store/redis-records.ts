import { memberOf, parseJson } from '../../lib/json.ts'
import type { Delegation, ParticipantKey } from '../life/record.ts'
import { isDelegation } from './records.ts'
import type { Stored } from './store.ts'

/** Field of the hash that holds the delegation of a participant. */
export function fieldOf({ room, identity }: ParticipantKey): string {
  return JSON.stringify([room, identity])
}

/** The participant that a field is about; `undefined` when it is none of ours. */
export function keyOf(field: string): ParticipantKey | undefined {
  const parts = parseJson(field)
  if (!Array.isArray(parts) || parts.length !== 2) return undefined
  return { room: String(parts[0]), identity: String(parts[1]) }
}

/** How a delegation is counted: for its server, for its user, and where the user was not known. */
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
 * The value of a delegation in the hash. What lk-jwt-service reads of an entry is there under its
 * names, so that it goes on with all of them when it takes over.
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

/** What a value of the hash is. */
export type Entry =
  | { readonly kind: 'ours'; readonly stored: Stored }
  /** Written by this program, and not to be understood any more. */
  | { readonly kind: 'broken' }
  /** Written by another program. */
  | { readonly kind: 'foreign'; readonly value: unknown }

/** Only this program writes that into a value. */
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

/** Reads a value of the hash, of this layout or of the first one. */
export function readEntry(text: string): Entry {
  const value = parseJson(text)
  if (!text.includes(OUR_MARK)) return { kind: 'foreign', value }
  const delegation = typeof value === 'object' && value !== null ? delegationIn(value) : undefined
  return isDelegation(delegation)
    ? { kind: 'ours', stored: { delegation, text } }
    : { kind: 'broken' }
}

/** The delegation that a value holds; empty when it holds none of ours. */
export function toStored(value: unknown): Stored[] {
  const entry = typeof value === 'string' ? readEntry(value) : undefined
  return entry?.kind === 'ours' ? [entry.stored] : []
}

/** The texts of an answer that is a list. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

/** The pairs of a flat list. */
export function pairs(flat: readonly string[]): (readonly [string, string])[] {
  const result: (readonly [string, string])[] = []
  for (let i = 0; i + 1 < flat.length; i += 2) result.push([flat[i] ?? '', flat[i + 1] ?? ''])
  return result
}
