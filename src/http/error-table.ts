import type { TooManyDelegations } from '../delegation/delegations.ts'
import type { StoreUnavailable } from '../delegation/store/store.ts'
import type { WrongUser } from '../exchange/authorisation.ts'
import type { ClientApiNotLocated, DelegationForbidden } from '../exchange/leave-takeover.ts'
import type { DelayedEventUnavailable } from '../exchange/member-leave.ts'
import type { InvalidParameter } from '../exchange/member-request.ts'
import type { ForeignUser, TooManyTokens } from '../exchange/member-tokens.ts'
import type { RelayFailed, RelayRefused } from '../exchange/relay.ts'
import type { SfuError } from '../livekit/sfu-error.ts'
import type { ForgedWebhook } from '../livekit/webhook.ts'
import type { HomeserverFailed } from '../matrix/own-homeserver-api.ts'
import type { VerificationError } from '../matrix/verification-error.ts'
import type { NotJoined } from '../membership/membership.ts'
import type { AnswerTooLate, CallerError, UnknownToken } from './homeserver-calls.ts'
import type { BodyError, FieldError } from './json-body.ts'
import type { TooManyRequests } from './limits.ts'

/** The service is shutting down and takes no more requests. */
export class ShuttingDown extends Error {
  readonly code = 'shutting-down'

  constructor() {
    super('shutting down')
    this.name = 'ShuttingDown'
  }
}

/** The path exists, but not with this method. */
export class MethodNotAllowed extends Error {
  readonly code = 'method-not-allowed'
  /** Value of the `Allow` header. */
  readonly allow: string

  constructor(allow: string) {
    super('method not allowed')
    this.name = 'MethodNotAllowed'
    this.allow = allow
  }
}

/** Every error that has an answer of its own. */
export type KnownError =
  | AnswerTooLate
  | BodyError
  | CallerError
  | ClientApiNotLocated
  | DelayedEventUnavailable
  | DelegationForbidden
  | FieldError
  | ForeignUser
  | ForgedWebhook
  | HomeserverFailed
  | InvalidParameter
  | MethodNotAllowed
  | NotJoined
  | RelayFailed
  | RelayRefused
  | SfuError
  | ShuttingDown
  | StoreUnavailable
  | TooManyDelegations
  | TooManyRequests
  | TooManyTokens
  | UnknownToken
  | VerificationError
  | WrongUser

/** How an error is answered and logged. */
export interface Entry {
  readonly status: number
  readonly errcode: string
  /** Text for the client; default: the message of the error. */
  readonly error?: string
  /** For the log: the step that failed. */
  readonly step?: string
}

const UNAUTHORIZED = { status: 401, errcode: 'M_UNAUTHORIZED' }
const NOT_AUTHORISED = { ...UNAUTHORIZED, error: 'The request could not be authorised.' }
/** A body that is not JSON. */
export const NOT_JSON = { status: 400, errcode: 'M_NOT_JSON' }
const BAD_JSON = { status: 400, errcode: 'M_BAD_JSON' }
/** A failure that clients can do nothing about. */
export const UNKNOWN = { errcode: 'M_UNKNOWN' }
const INVALID_PARAM = { status: 400, errcode: 'M_INVALID_PARAM' }
const FORBIDDEN = { status: 403, errcode: 'M_FORBIDDEN' }
const LIMIT_EXCEEDED = { status: 429, errcode: 'M_LIMIT_EXCEEDED', step: 'limit' }
const NO_GOOD_ANSWER = {
  ...UNKNOWN,
  status: 502,
  error: 'The homeserver did not answer as expected.',
}
const NOT_FOR_THIS_USER = 'Delegation of delayed leave events is not available to this user.'

/** The one table that turns errors into Matrix errors; a missing entry is a compile error. */
export const ENTRIES: Readonly<Record<KnownError['code'], Entry>> = {
  'body-not-json': NOT_JSON,
  'body-too-large': { status: 413, errcode: 'M_TOO_LARGE' },
  'body-too-slow': NOT_JSON,
  'field-wrong': BAD_JSON,
  'method-not-allowed': {
    status: 405,
    errcode: 'M_UNRECOGNIZED',
    error: 'Method not allowed',
  },
  'verification-failed': NOT_AUTHORISED,
  'wrong-user': { ...NOT_AUTHORISED, step: 'claimed-user' },
  'forged-webhook': {
    ...UNAUTHORIZED,
    error: 'The webhook is not signed by the SFU.',
    step: 'webhook',
  },
  'delegation-forbidden': { ...BAD_JSON, error: NOT_FOR_THIS_USER },
  'takeover-forbidden': { ...FORBIDDEN, error: NOT_FOR_THIS_USER },
  'client-api-not-located': {
    ...BAD_JSON,
    error: 'Unable to resolve client-server API',
    step: 'client-api',
  },
  'too-many-delegations': { ...LIMIT_EXCEEDED, error: 'Too many delegations.' },
  'too-many-requests': { ...LIMIT_EXCEEDED, error: 'Too many requests.' },
  'too-many-tokens': { ...LIMIT_EXCEEDED, error: 'Too many tokens.' },
  'token-missing': { status: 401, errcode: 'M_MISSING_TOKEN' },
  'token-unknown': { status: 401, errcode: 'M_UNKNOWN_TOKEN', step: 'hs-token' },
  'caller-missing': UNAUTHORIZED,
  'caller-malformed': INVALID_PARAM,
  'invalid-parameter': INVALID_PARAM,
  'foreign-user': { ...FORBIDDEN, error: 'The user is not of the server that asks.' },
  'not-joined': { ...FORBIDDEN, error: 'Not joined to the room.', step: 'membership' },
  'homeserver-failed': { ...NO_GOOD_ANSWER, step: 'homeserver' },
  'answer-too-late': { ...NO_GOOD_ANSWER, step: 'homeserver' },
  'relay-failed': { ...NO_GOOD_ANSWER, step: 'relay' },
  'relay-forbidden': {
    ...FORBIDDEN,
    error: 'The homeserver of the SFU refused the user.',
    step: 'relay',
  },
  'relay-invalid': {
    ...INVALID_PARAM,
    error: 'The homeserver of the SFU does not know the URL, or refused another parameter.',
    step: 'relay',
  },
  'delayed-event-unavailable': {
    ...UNKNOWN,
    status: 503,
    error: 'The delayed event could not be asked for.',
    step: 'delayed-event',
  },
  'sfu-failed': { ...UNKNOWN, status: 500, error: 'Unable to create room on SFU', step: 'sfu' },
  'store-unavailable': {
    ...UNKNOWN,
    status: 503,
    error: 'The state store is not available.',
    step: 'store',
  },
  'shutting-down': { ...UNKNOWN, status: 503, error: 'The service is shutting down.' },
}
