import { Elysia } from 'elysia'
import { LEGACY_SLOT_ID, legacyIdentity, liveKitRoom, memberIdentity } from '../livekit/names.ts'
import type { DelayedLeave, ExchangeToken, TokenRequest } from '../token-exchange.ts'
import { MethodNotAllowed } from './errors.ts'
import { FieldError, readJsonBody } from './json-body.ts'
import type { RequestLog } from './request-log.ts'
import {
  type DelayFields,
  errorAnswer,
  GetTokenBody,
  type LegacyBody,
  SfuGetBody,
  TokenAnswer,
} from './schemas.ts'
import { checkSfuGetBody, isGetTokenForm } from './sfu-get-body.ts'

/** What the token endpoints need. */
export interface TokenRoutesOptions {
  readonly exchangeToken: ExchangeToken
  readonly requestLog: RequestLog
  /** The SFU's URL, handed out unchanged. */
  readonly liveKitUrl: string
}

function delayedLeaveOf({ delay_id, delay_timeout }: DelayFields): DelayedLeave | undefined {
  const delayId = delay_id ?? ''
  const delayMs = delay_timeout ?? 0
  if (delayId === '' && delayMs === 0) return undefined
  if (delayId === '') throw new FieldError('delay_id')
  if (delayMs === 0) throw new FieldError('delay_timeout')
  return { delayId, delayMs }
}

function openIdTokenOf({ openid_token }: Pick<GetTokenBody, 'openid_token'>) {
  return {
    matrixServerName: openid_token.matrix_server_name,
    accessToken: openid_token.access_token,
  }
}

function fromGetToken(body: GetTokenBody): TokenRequest {
  const { room_id, slot_id, member } = body
  return {
    openIdToken: openIdTokenOf(body),
    claimedUserId: member.claimed_user_id,
    room: liveKitRoom(room_id, slot_id),
    identityOf: (userId) => memberIdentity(userId, member.claimed_device_id, member.id),
    delayedLeave: delayedLeaveOf(body),
  }
}

function fromLegacy(body: LegacyBody): TokenRequest {
  return {
    openIdToken: openIdTokenOf(body),
    claimedUserId: undefined,
    room: liveKitRoom(body.room, LEGACY_SLOT_ID),
    identityOf: (userId) => legacyIdentity(userId, body.device_id ?? ''),
    delayedLeave: delayedLeaveOf(body),
  }
}

const ERRORS = {
  400: errorAnswer(
    '`M_NOT_JSON`: the body is not JSON. `M_BAD_JSON`: a required field is missing, empty or of ' +
      'the wrong type, only one of `delay_id` and `delay_timeout` is given, or a restricted user ' +
      'asks for delegation.',
    'M_BAD_JSON',
    'The field "member.id" is missing, empty or of the wrong type.',
  ),
  401: errorAnswer(
    '`M_UNAUTHORIZED`: the OpenID token could not be verified, for whatever reason, or its user is ' +
      'not the claimed one.',
    'M_UNAUTHORIZED',
    'The request could not be authorised.',
  ),
  405: errorAnswer('`M_UNRECOGNIZED`: not a POST request.', 'M_UNRECOGNIZED', 'Method not allowed'),
  413: errorAnswer(
    '`M_TOO_LARGE`: the body is larger than 64 KiB.',
    'M_TOO_LARGE',
    'The body is larger than 64 KiB.',
  ),
  500: errorAnswer(
    '`M_UNKNOWN`: the SFU refused to create the room or could not be reached.',
    'M_UNKNOWN',
    'Unable to create room on SFU',
  ),
  503: errorAnswer(
    '`M_UNKNOWN`: delegation is not available, or the service is shutting down.',
    'M_UNKNOWN',
    'The service is shutting down.',
  ),
}

const RESPONSE = { 200: TokenAnswer, ...ERRORS }

function refuseMethod(): never {
  throw new MethodNotAllowed()
}

function answerPreflight(): Response {
  return new Response(null, { status: 200 })
}

/** `POST /get_token` and `POST /sfu/get`: a Matrix OpenID token in, a LiveKit access token out. */
export function tokenRoutes({ exchangeToken, requestLog, liveKitUrl }: TokenRoutesOptions) {
  async function answer(request: Request, tokenRequest: TokenRequest) {
    const record = requestLog.of(request)
    record.serverName = tokenRequest.openIdToken.matrixServerName
    record.room = tokenRequest.room
    const issued = await exchangeToken(tokenRequest, (level) => {
      record.access = level
    })
    record.identity = issued.identity
    return { url: liveKitUrl, jwt: issued.jwt }
  }

  return new Elysia({ name: 'tokens' })
    .post(
      '/get_token',
      function getToken({ request, body }) {
        return answer(request, fromGetToken(body))
      },
      {
        parse: [readJsonBody, 'json'],
        body: GetTokenBody,
        response: RESPONSE,
        detail: {
          operationId: 'getToken',
          tags: ['Tokens'],
          summary: 'Exchanges an OpenID token for a LiveKit access token',
          description:
            'The OpenID token is verified with the homeserver that issued it. For a user with full ' +
            'access the LiveKit room is created before the answer; a restricted user gets a token ' +
            'that works once somebody else has created it. See MSC4195.',
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
    .options('/get_token', answerPreflight, { detail: { hide: true } })
    .options('/sfu/get', answerPreflight, { detail: { hide: true } })
    .all('/get_token', refuseMethod, { detail: { hide: true } })
    .all('/sfu/get', refuseMethod, { detail: { hide: true } })
}
