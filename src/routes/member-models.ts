import { type Static, t } from 'elysia'
import { MEMBER_ID_RULE, NO_PATH_STEP } from './documented-rules.ts'
import { DELAY_EXAMPLE, MEMBER_EXAMPLE, OTHER_USER_EXAMPLE, SFU_URL_EXAMPLE } from './examples.ts'
import { MAX_ID_LENGTH, OPEN, optional, REFUSED, requiredId } from './fields.ts'

const roomId = t.String({
  ...REFUSED,
  minLength: 1,
  maxLength: MAX_ID_LENGTH,
  pattern: NO_PATH_STEP,
  description: 'ID of the Matrix room.',
  examples: ['!roomid:example.com'],
})

const memberFields = {
  url: requiredId('URL of the SFU, exactly as the homeserver announces it.', SFU_URL_EXAMPLE),
  room_id: roomId,
  slot_id: requiredId(
    'The MatrixRTC slot in that room; `m.call#ROOM` is its one call.',
    'm.call#ROOM',
  ),
  member_id: optional(
    t.String({
      ...REFUSED,
      minLength: 1,
      maxLength: MAX_ID_LENGTH,
      description:
        'Random ID that the client picked for this join; part of the identity. Required, unless ' +
        '`member` has it.',
      examples: ['memberABC'],
    }),
  ),
  member: optional(
    t.Object(
      { id: requiredId('The same as `member_id`.', 'memberABC') },
      { ...OPEN, description: 'The form of older clients.' },
    ),
  ),
}

/** Body of `get_token` of our homeserver's users. */
export const MemberTokenBody = t.Object(
  {
    ...memberFields,
    server_name: optional(
      t.String({
        ...REFUSED,
        minLength: 1,
        description: 'Server name of the homeserver whose SFU it is; default: the own one.',
        examples: ['example.com'],
      }),
    ),
  },
  { ...OPEN, examples: [MEMBER_EXAMPLE], ...MEMBER_ID_RULE },
)
/** A validated body. */
export type MemberTokenBody = Static<typeof MemberTokenBody>

/** Body of `get_token` of another homeserver. */
export const FederatedTokenBody = t.Object(
  { user_id: requiredId('A user of that homeserver.', OTHER_USER_EXAMPLE), ...memberFields },
  { ...OPEN, examples: [{ user_id: OTHER_USER_EXAMPLE, ...MEMBER_EXAMPLE }], ...MEMBER_ID_RULE },
)
/** A validated body. */
export type FederatedTokenBody = Static<typeof FederatedTokenBody>

/** Body of `delegate_delayed_leave` of our homeserver's users. */
export const MemberLeaveBody = t.Object(
  {
    ...memberFields,
    delay_id: t.String({
      ...REFUSED,
      minLength: 1,
      maxLength: MAX_ID_LENGTH,
      pattern: NO_PATH_STEP,
      description: 'ID of the delayed leave event; the homeserver knows its delay.',
      examples: [DELAY_EXAMPLE.delay_id],
    }),
  },
  {
    ...OPEN,
    examples: [{ ...MEMBER_EXAMPLE, delay_id: DELAY_EXAMPLE.delay_id }],
    ...MEMBER_ID_RULE,
  },
)
/** A validated body. */
export type MemberLeaveBody = Static<typeof MemberLeaveBody>

/** The fields that all three bodies have. */
export type MemberFields = Omit<MemberTokenBody, 'server_name'>

/** Answer of `get_token`. */
export const JwtAnswer = t.Object(
  {
    jwt: t.String({
      description:
        'LiveKit access token: a JWT (HS256) for this room and identity on the SFU of `url`.',
      examples: ['eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJkZXZrZXkifQ.c2lnbmF0dXJl'],
    }),
  },
  { description: 'The token.' },
)

/** The models of application-service mode that are named components of the OpenAPI document. */
export const MEMBER_MODELS = { FederatedTokenBody, JwtAnswer, MemberLeaveBody, MemberTokenBody }
