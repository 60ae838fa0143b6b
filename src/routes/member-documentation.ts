import { answer, COMMON_ERRORS, emptyAnswer, errorAnswer, limitAnswer } from './answers.ts'

/** The section of the API page. */
export const MEMBER_TAG = {
  name: 'Application service',
  description: 'For the homeserver, which calls for its users and for other homeservers',
}

/** Security scheme of the endpoints. */
export const HOMESERVER_TOKEN = {
  type: 'http' as const,
  scheme: 'bearer',
  description: 'The `hs_token` of the registration.',
}

const TAGS = [MEMBER_TAG.name]
const SECURITY = [{ homeserverToken: [] }]

function header(name: string, description: string, example: string) {
  return {
    in: 'header' as const,
    name,
    required: true,
    description,
    schema: { type: 'string' as const },
    example,
  }
}

const USER = header(
  'X-Matrix-User-Identifier',
  'The user for whom the homeserver calls; one of its own.',
  '@alice:example.com',
)
const ORIGIN = header(
  'X-Matrix-Origin',
  'Server name of the homeserver for which ours calls.',
  'other.example',
)

const CALLER_ERROR = errorAnswer(
  '`M_MISSING_TOKEN`: there is no bearer token. `M_UNKNOWN_TOKEN`: it is not the `hs_token`. ' +
    '`M_UNAUTHORIZED`: the header that says for whom the homeserver calls is missing.',
  'M_UNKNOWN_TOKEN',
  'The access token is unknown.',
)
const BAD_REQUEST = errorAnswer(
  '`M_NOT_JSON`: the body is not JSON. `M_BAD_JSON`: a required field is missing, empty or of the ' +
    'wrong type. `M_INVALID_PARAM`: a header, a name or the `url` is wrong.',
  'M_INVALID_PARAM',
  'The field "url" is not the URL of this SFU.',
)
const FORBIDDEN = errorAnswer(
  '`M_FORBIDDEN`: the user is not of the server that asks, or the user or the server is not joined to ' +
    'the room.',
  'M_FORBIDDEN',
  'Not joined to the room.',
)
const UNVERIFIABLE = errorAnswer(
  '`M_UNKNOWN`: our homeserver, or the other one, did not answer as expected.',
  'M_UNKNOWN',
  'The homeserver did not answer as expected.',
)
const TOO_MANY_TOKENS = limitAnswer(
  '`M_LIMIT_EXCEEDED`: too many requests for the user or by the other homeserver, or too many tokens ' +
    'of the user that have not expired.',
  'Too many requests.',
)

const { 405: WRONG_METHOD, 413: TOO_LARGE, 429: TOO_MANY_DELEGATIONS, 503: AWAY } = COMMON_ERRORS

const TOKEN_RESPONSES = {
  200: answer('The token.', 'JwtAnswer'),
  400: BAD_REQUEST,
  401: CALLER_ERROR,
  403: FORBIDDEN,
  405: WRONG_METHOD,
  413: TOO_LARGE,
  429: TOO_MANY_TOKENS,
  500: errorAnswer(
    '`M_UNKNOWN`: the SFU refused to create the room or could not be reached.',
    'M_UNKNOWN',
    'Unable to create room on SFU',
  ),
  502: UNVERIFIABLE,
  503: AWAY,
}

/** `POST /_matrix/client/v1/rtc/livekit/get_token`. */
export const CLIENT_TOKEN = {
  operationId: 'getMemberToken',
  tags: TAGS,
  summary: 'Gives a user of the homeserver a LiveKit access token',
  description:
    'Called by the homeserver for its users, who must be joined to the Matrix room: clients send the body ' +
    'to this path of the homeserver, with their own access token. With the `server_name` of another ' +
    'homeserver the token is for its SFU, asked for through both homeservers. Until MSC4195 is accepted, ' +
    'the path has `unstable/io.element.msc4195` instead of `v1`.',
  security: SECURITY,
  parameters: [USER],
  responses: TOKEN_RESPONSES,
}

/** `POST /_matrix/federation/v1/rtc/livekit/get_token`. */
export const FEDERATED_TOKEN = {
  operationId: 'getFederatedToken',
  tags: TAGS,
  summary: 'Gives a user of another homeserver a LiveKit access token',
  description:
    'Called by the homeserver for another one. The token does not permit to publish. Until MSC4195 is ' +
    'accepted, the path has `unstable/io.element.msc4195` instead of `v1`.',
  security: SECURITY,
  parameters: [ORIGIN],
  responses: TOKEN_RESPONSES,
}

/** `POST /_matrix/client/v1/rtc/livekit/delegate_delayed_leave`. */
export const CLIENT_LEAVE = {
  operationId: 'delegateMemberLeave',
  tags: TAGS,
  summary: 'Hands the delayed leave event of a user of the homeserver over to the service',
  description:
    'Called by the homeserver for its users: clients send the body to this path of the homeserver, with ' +
    'their own access token. The delay of the event is asked of the homeserver. Until MSC4195 is ' +
    'accepted, the path has `unstable/io.element.msc4195` instead of `v1`.',
  security: SECURITY,
  parameters: [USER],
  responses: {
    200: emptyAnswer('The delayed leave event was taken over.'),
    400: BAD_REQUEST,
    401: CALLER_ERROR,
    403: FORBIDDEN,
    405: WRONG_METHOD,
    413: TOO_LARGE,
    429: TOO_MANY_DELEGATIONS,
    502: UNVERIFIABLE,
    503: AWAY,
  },
}

/** `POST /_matrix/app/v1/ping`. */
export const PING = {
  operationId: 'ping',
  tags: TAGS,
  summary: 'Answers a ping of the homeserver',
  description: 'Called by a homeserver whose registration of the service has a `url`.',
  security: SECURITY,
  responses: { 200: emptyAnswer('The token is right.'), 401: CALLER_ERROR, 405: WRONG_METHOD },
}
