import { Elysia } from 'elysia'
import type { TokenExchange, TokenRequest } from '../exchange/token-exchange.ts'
import { readJsonBody } from '../http/json-body.ts'
import { allowOnly, answerPreflight, HIDDEN } from '../http/methods.ts'
import type { RequestLog } from '../http/request-log.ts'
import { checkBodyBy } from './body-check.ts'
import { COMMON_ERRORS } from './error-answers.ts'
import { errorAnswer, GetTokenBody, SfuGetBody, TokenAnswer } from './models.ts'
import { fromGetToken, fromLegacy } from './participant-request.ts'
import { noteProgress } from './progress.ts'
import { checkSfuGetBody, isGetTokenForm } from './sfu-get-body.ts'

/** What the token endpoints need. */
export interface TokenRoutesOptions {
  readonly tokenExchange: TokenExchange
  readonly requestLog: RequestLog
  /** The SFU's URL, handed out unchanged. */
  readonly liveKitUrl: string
}

const RESPONSE = {
  ...COMMON_ERRORS,
  200: TokenAnswer,
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
export function tokenRoutes({ tokenExchange, requestLog, liveKitUrl }: TokenRoutesOptions) {
  async function answer(request: Request, asked: TokenRequest) {
    const tokenRequest = { ...asked, signal: request.signal }
    const progress = noteProgress(requestLog.of(request), tokenRequest)
    return { url: liveKitUrl, jwt: await tokenExchange.exchange(tokenRequest, progress) }
  }

  return new Elysia({ name: 'tokens' })
    .post(
      '/get_token',
      function getToken({ request, body }) {
        return answer(request, fromGetToken(body))
      },
      {
        parse: [readJsonBody, 'json'],
        transform: checkBodyBy(GetTokenBody),
        body: GetTokenBody,
        response: RESPONSE,
        detail: {
          operationId: 'getToken',
          tags: ['Tokens'],
          summary: 'Exchanges an OpenID token for a LiveKit access token',
          description:
            'The OpenID token is verified with the homeserver that issued it. For a user with full ' +
            'access the LiveKit room is created before the answer; a restricted user gets a token ' +
            'that works once somebody else has created it. A user with full access may hand over a ' +
            'delayed leave event along with it. See MSC4195.',
        },
      },
    )
    .post(
      '/sfu/get',
      function sfuGet({ request, body }) {
        return answer(request, isGetTokenForm(body) ? fromGetToken(body) : fromLegacy(body))
      },
      {
        parse: [readJsonBody, 'json'],
        transform: checkSfuGetBody,
        body: SfuGetBody,
        response: RESPONSE,
        detail: {
          operationId: 'sfuGet',
          tags: ['Tokens'],
          summary: 'The deprecated form of /get_token',
          description:
            'Accepts its own body, and that of `/get_token`, which counts when `room_id` is there.',
          deprecated: true,
        },
      },
    )
    .options('/get_token', answerPreflight, HIDDEN)
    .options('/sfu/get', answerPreflight, HIDDEN)
    .all('/get_token', allowOnly('OPTIONS, POST'), HIDDEN)
    .all('/sfu/get', allowOnly('OPTIONS, POST'), HIDDEN)
}
