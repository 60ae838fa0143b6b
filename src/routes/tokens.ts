import { Elysia } from 'elysia'
import type { TokenExchange } from '../exchange/token-exchange.ts'
import type { ParticipantCalls } from '../http/participants.ts'
import { answer, COMMON_ERRORS, errorAnswer } from './answers.ts'
import { GetTokenBody, SfuGetBody } from './models.ts'
import { fromGetToken, fromSfuGet } from './participant-request.ts'

/** Options of {@link tokenRoutes}. */
export interface TokenRoutesOptions {
  readonly calls: ParticipantCalls
  readonly tokenExchange: TokenExchange
  /** The SFU's URL, handed out unchanged. */
  readonly liveKitUrl: string
}

const RESPONSES = {
  200: answer('The token.', 'TokenAnswer'),
  ...COMMON_ERRORS,
  400: errorAnswer(
    '`M_NOT_JSON`: the body is not JSON. `M_BAD_JSON`: a required field is missing, empty or of ' +
      'the wrong type, only one of `delay_id` and `delay_timeout` is given, a restricted user asks ' +
      "for delegation, or the homeserver's client API cannot be located for it.",
    'M_BAD_JSON',
    'The field "member.id" is missing, empty or of the wrong type.',
  ),
  500: errorAnswer(
    '`M_UNKNOWN`: the SFU refused to create the room or could not be reached.',
    'M_UNKNOWN',
    'Unable to create room on SFU',
  ),
}

/** `POST /get_token` and `POST /sfu/get`: a Matrix OpenID token in, a LiveKit access token out. */
export function tokenRoutes({ calls, tokenExchange, liveKitUrl: url }: TokenRoutesOptions) {
  return new Elysia({ name: 'tokens' })
    .use(calls.plugin)
    .post(
      '/get_token',
      async function getToken({ participant, leave, hangUp }) {
        return { url, jwt: await tokenExchange.exchange(participant, leave, hangUp) }
      },
      {
        cors: true,
        parse: [...calls.parse],
        body: GetTokenBody,
        participant: fromGetToken,
        detail: {
          operationId: 'getToken',
          tags: ['Tokens'],
          summary: 'Exchanges an OpenID token for a LiveKit access token',
          description:
            'The OpenID token is verified with the homeserver that issued it. For a user with full ' +
            'access the LiveKit room is created before the answer; a restricted user gets a token ' +
            'that works once somebody else has created it.\n\nWith `delay_id` and `delay_timeout` a ' +
            'user with full access hands a delayed leave event over along with it. If the event ' +
            'cannot be taken over, there is no token either: ask again without the two.\n\nThis is ' +
            '[MSC4195](https://github.com/matrix-org/matrix-spec-proposals/pull/4195) in its form ' +
            'before September 2026.',
          responses: RESPONSES,
        },
      },
    )
    .post(
      '/sfu/get',
      async function sfuGet({ participant, leave, hangUp }) {
        return { url, jwt: await tokenExchange.exchange(participant, leave, hangUp) }
      },
      {
        cors: true,
        parse: [...calls.parse],
        body: SfuGetBody,
        participant: fromSfuGet,
        detail: {
          operationId: 'sfuGet',
          tags: ['Tokens'],
          summary: 'The deprecated form of /get_token',
          description:
            'For clients that do not know `/get_token`; new ones need it only where that is answered ' +
            'with 404. It takes a body of its own, with `room`, and that of `/get_token`: a body with ' +
            '`room_id` is the latter. The body with `room` has a plain text identity, see "Names of ' +
            'rooms and participants".',
          deprecated: true,
          responses: RESPONSES,
        },
      },
    )
}
