import { parseJson } from '../lib/json.ts'
import type { Delegation, ParticipantKey } from './delegation.ts'
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

function isOurs(value: unknown): value is Delegation {
  return typeof value === 'object' && value !== null && 'generation' in value
}

/** The delegation that a value holds; empty when it holds none of ours. */
export function toStored(value: unknown): Stored[] {
  if (typeof value !== 'string') return []
  const delegation = parseJson(value)
  return isOurs(delegation) ? [{ delegation, text: value }] : []
}

/** The texts of an answer that is a list. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}
