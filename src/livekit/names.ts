import { hash as digest } from 'node:crypto'

/** Slot for the deprecated `/sfu/get` body, which names none: the one call of a Matrix room. */
export const LEGACY_SLOT_ID = 'm.call#ROOM'

/** Of 32 bytes in base64, without the `=` at the end. */
const UNPADDED_LENGTH = 43

/**
 * Unpadded standard base64 of the SHA-256 of the canonical JSON of an array of strings.
 *
 * Clients derive the same names, so the bytes must match exactly. For an array of strings,
 * `JSON.stringify` yields canonical JSON.
 *
 * @see https://spec.matrix.org/latest/appendices/#canonical-json
 */
function hash(parts: readonly string[]): string {
  return digest('sha256', JSON.stringify(parts), 'base64').slice(0, UNPADDED_LENGTH)
}

/** Name of the LiveKit room that holds the call of one slot in a Matrix room. */
export function liveKitRoom(roomId: string, slotId: string): string {
  return hash([roomId, slotId])
}

/** Identifies one of a user's devices in a call, in any form of request. */
export type Device =
  /** Application-service mode, where the homeserver vouches for the user. */
  | { readonly form: 'vouched'; readonly memberId: string }
  | { readonly form: 'member'; readonly deviceId: string; readonly memberId: string }
  | { readonly form: 'legacy'; readonly deviceId: string }

/**
 * LiveKit identity of a user's device: derived as in MSC4195, or in plain text for the deprecated body,
 * as its clients expect.
 */
export function identityOf(userId: string, device: Device): string {
  if (device.form === 'legacy') return `${userId}:${device.deviceId}`
  if (device.form === 'vouched') return hash([userId, device.memberId])
  return hash([userId, device.deviceId, device.memberId])
}
