import type { MatrixClient, OpenIdToken } from './matrix-client.ts'

/**
 * Body of `/get_token`, with a member ID of `memberABC`.
 *
 * @param client User and device that it claims to be of.
 */
export function currentBody(client: MatrixClient, roomId: string, openidToken: OpenIdToken) {
  return {
    room_id: roomId,
    slot_id: 'm.call#ROOM',
    openid_token: openidToken,
    member: {
      id: 'memberABC',
      claimed_user_id: client.userId,
      claimed_device_id: client.deviceId,
    },
  }
}

/** Body that clients send which know `/sfu/get` alone. */
export function legacyBody(client: MatrixClient, roomId: string, openidToken: OpenIdToken) {
  return { room: roomId, openid_token: openidToken, device_id: client.deviceId }
}
