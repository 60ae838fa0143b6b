/** The SFU, as clients reach it. */
export const SFU_URL_EXAMPLE = 'wss://livekit.example.com'

/** What a homeserver answers to the request for an OpenID token. */
export const OPENID_TOKEN_EXAMPLE = {
  access_token: 'SomeT0kenHere',
  token_type: 'Bearer',
  matrix_server_name: 'example.com',
  expires_in: 3600,
}

/** A body of `/get_token`. */
export const GET_TOKEN_EXAMPLE = {
  room_id: '!roomid:example.com',
  slot_id: 'm.call#ROOM',
  openid_token: OPENID_TOKEN_EXAMPLE,
  member: {
    id: 'memberABC',
    claimed_user_id: '@alice:example.com',
    claimed_device_id: 'DEVICE123',
  },
}

/** What hands over a delayed leave event. */
export const DELAY_EXAMPLE = { delay_id: 'syd_aaaaaaaaaaaaaaaaaaaa', delay_timeout: 3_600_000 }

/** The former body of `/sfu/get`. */
export const LEGACY_EXAMPLE = {
  room: '!room:example.com',
  openid_token: OPENID_TOKEN_EXAMPLE,
  device_id: 'DEVICE123',
}

/** What the bodies of application-service mode have in common. */
export const MEMBER_EXAMPLE = {
  url: SFU_URL_EXAMPLE,
  room_id: '!roomid:example.com',
  slot_id: 'm.call#ROOM',
  member_id: 'memberABC',
}

/** A user of another homeserver. */
export const OTHER_USER_EXAMPLE = '@bob:other.example'
