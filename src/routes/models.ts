import { Type } from '@sinclair/typebox'
import { type Static, t } from 'elysia'
import { DELAY_RULE, DEVICE_ID_RULE, NO_PATH_STEP } from './documented-rules.ts'
import { DELAY_EXAMPLE, GET_TOKEN_EXAMPLE, LEGACY_EXAMPLE, SFU_URL_EXAMPLE } from './examples.ts'
import { ignored, MAX_ID_LENGTH, OPEN, optional, REFUSED, required, requiredId } from './fields.ts'

/** An OpenID token, as the homeserver gave it to the client. */
export const OpenIdToken = t.Object(
  {
    access_token: required('The OpenID token itself.', 'SomeT0kenHere'),
    token_type: ignored('Ignored; homeservers say "Bearer".'),
    matrix_server_name: required('Server name of the homeserver that issued it.', 'example.com'),
    expires_in: ignored('Ignored; the homeserver is asked instead.'),
  },
  {
    ...OPEN,
    description:
      'What the homeserver answered to the request for an OpenID token ' +
      '(`POST /_matrix/client/v3/user/{userId}/openid/request_token`), unchanged.',
  },
)

/** The member of the call, as the client claims. */
export const Member = t.Object(
  {
    id: requiredId(
      'Random ID that the client picked for this join; part of the identity.',
      'memberABC',
    ),
    claimed_user_id: requiredId('The user ID; it must be the verified one.', '@alice:example.com'),
    claimed_device_id: requiredId('The device ID; part of the identity.', 'DEVICE123'),
  },
  { ...OPEN, description: 'Who takes part in the call.' },
)

/** 30 days: far longer than any call, and a limit on how long one request keeps the service busy. */
const MAX_DELAY_MS = 30 * 24 * 60 * 60 * 1000
const DELAY_TEXT = 'The delay of that event in milliseconds, 30 days at most.'
const DELAY_ID_TEXT = 'ID of the delayed leave event to take over.'

const delayFields = {
  delay_id: optional(
    t.String({
      ...REFUSED,
      maxLength: MAX_ID_LENGTH,
      description: `${DELAY_ID_TEXT} Goes together with \`delay_timeout\`.`,
    }),
  ),
  delay_timeout: optional(
    // `t.Integer` would accept a string of digits too.
    Type.Integer({ ...REFUSED, minimum: 0, maximum: MAX_DELAY_MS, description: DELAY_TEXT }),
  ),
  delay_cs_api_url: ignored('Accepted and ignored.'),
}

const memberFields = {
  room_id: required('ID of the Matrix room.', '!roomid:example.com'),
  slot_id: required(
    'The MatrixRTC slot in that room; `m.call#ROOM` is its one call.',
    'm.call#ROOM',
  ),
  openid_token: OpenIdToken,
  member: Member,
  delayed_event_id: ignored('Accepted and ignored.'),
}

/** Body of `/get_token`. */
export const GetTokenBody = t.Object(
  { ...memberFields, ...delayFields },
  {
    ...OPEN,
    examples: [GET_TOKEN_EXAMPLE],
    ...DELAY_RULE,
  },
)
/** A validated body. */
export type GetTokenBody = Static<typeof GetTokenBody>

/** The original body of `/sfu/get`. */
export const LegacyBody = t.Object(
  {
    room: required('ID of the Matrix room; the slot is `m.call#ROOM`.', '!room:example.com'),
    room_id: t.Optional(
      t.Null({
        ...REFUSED,
        description: 'A body with a `room_id` is read as that of `/get_token`.',
      }),
    ),
    openid_token: OpenIdToken,
    device_id: optional(
      t.String({
        ...REFUSED,
        maxLength: MAX_ID_LENGTH,
        description:
          'The device ID; empty unless given. It must not begin like a port (`8449:`) if the server name ' +
          'has none: the identity would be that of a user of another server.',
        examples: ['DEVICE123'],
      }),
    ),
    ...delayFields,
  },
  {
    ...OPEN,
    examples: [LEGACY_EXAMPLE],
    ...DELAY_RULE,
    allOf: [DEVICE_ID_RULE],
  },
)
/** A validated body. */
export type LegacyBody = Static<typeof LegacyBody>

/** Whether a body of `/sfu/get` has a `room_id`, and so the form of `/get_token`. */
export function isGetTokenForm(body: unknown): body is GetTokenBody {
  return typeof body === 'object' && body !== null && 'room_id' in body && body.room_id !== null
}

/** Body of `/sfu/get`. */
export const SfuGetBody = t.Union([LegacyBody, GetTokenBody], {
  ...REFUSED,
  examples: [LEGACY_EXAMPLE, GET_TOKEN_EXAMPLE],
  /** Index of the form that a value must match, so that an error can name the wrong field. */
  formOf: (value: unknown) => Number(isGetTokenForm(value)),
})
/** A validated body. */
export type SfuGetBody = Static<typeof SfuGetBody>

/** Body of `/delegate_delayed_leave`. */
export const DelegateBody = t.Object(
  {
    ...memberFields,
    delay_id: t.String({
      ...REFUSED,
      minLength: 1,
      maxLength: MAX_ID_LENGTH,
      pattern: NO_PATH_STEP,
      description: DELAY_ID_TEXT,
      examples: ['syd_aaaaaaaaaaaaaaaaaaaa'],
    }),
    delay_timeout: Type.Integer({
      ...REFUSED,
      minimum: 1,
      maximum: MAX_DELAY_MS,
      description: DELAY_TEXT,
      examples: [3_600_000],
    }),
    delay_cs_api_url: delayFields.delay_cs_api_url,
  },
  {
    ...OPEN,
    examples: [{ ...GET_TOKEN_EXAMPLE, ...DELAY_EXAMPLE }],
  },
)
/** A validated body. */
export type DelegateBody = Static<typeof DelegateBody>

/** The fields of either body that hand over a delayed leave event. */
export type DelayFields = Pick<GetTokenBody, 'delay_id' | 'delay_timeout'>

/** Answer of both token endpoints. */
export const TokenAnswer = t.Object(
  {
    url: t.String({
      description: 'URL of the SFU, to connect to with the token.',
      examples: [SFU_URL_EXAMPLE],
    }),
    jwt: t.String({
      description: 'LiveKit access token: a JWT (HS256) for this room and identity on this SFU.',
      examples: ['eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJkZXZrZXkifQ.c2lnbmF0dXJl'],
    }),
  },
  { description: 'The token.' },
)

/** A Matrix error, as every failed request is answered. */
export const MatrixError = t.Object(
  {
    errcode: Type.Unsafe<string>({
      type: 'string',
      enum: [
        'M_BAD_JSON',
        'M_FORBIDDEN',
        'M_INVALID_PARAM',
        'M_LIMIT_EXCEEDED',
        'M_MISSING_TOKEN',
        'M_NOT_JSON',
        'M_TOO_LARGE',
        'M_UNAUTHORIZED',
        'M_UNKNOWN',
        'M_UNKNOWN_TOKEN',
        'M_UNRECOGNIZED',
      ],
      description: 'What went wrong, for programs.',
    }),
    error: t.String({ description: 'What went wrong, for people; may change.' }),
    retry_after_ms: t.Optional(
      Type.Integer({
        description: 'With `M_LIMIT_EXCEEDED`: milliseconds until it is worth a retry.',
      }),
    ),
  },
  { description: 'A Matrix error.' },
)

/** The models that are named components of the OpenAPI document. */
export const NAMED_MODELS = {
  DelegateBody,
  GetTokenBody,
  LegacyBody,
  MatrixError,
  Member,
  OpenIdToken,
  TokenAnswer,
}
