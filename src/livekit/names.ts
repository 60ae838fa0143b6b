import { createHash } from 'node:crypto'

/** The slot that clients of the deprecated `/sfu/get` body mean: the one call of a Matrix room. */
export const LEGACY_SLOT_ID = 'm.call#ROOM'

/**
 * Unpadded standard base64 of the SHA-256 of the canonical JSON of an array of strings.
 *
 * Clients derive the same names by themselves, so the bytes must match theirs exactly. For an array
 * of strings `JSON.stringify` gives canonical JSON.
 *
 * @see https://spec.matrix.org/latest/appendices/#canonical-json
 */
function hash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64').replace(/=+$/, '')
}

/** Name of the LiveKit room that holds the call of one slot in a Matrix room. */
export function liveKitRoom(roomId: string, slotId: string): string {
  return hash([roomId, slotId])
}

/** What tells the parts of one user in a call apart, as the two forms of requests name it. */
export type Device =
  | { readonly form: 'member'; readonly deviceId: string; readonly memberId: string }
  | { readonly form: 'legacy'; readonly deviceId: string }

/**
 * LiveKit identity of a user's device: for one join as MSC4195 derives it, for the deprecated body as
 * its clients expect it.
 */
export function identityOf(userId: string, device: Device): string {
  if (device.form === 'legacy') return `${userId}:${device.deviceId}`
  return hash([userId, device.deviceId, device.memberId])
}
