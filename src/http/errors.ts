import { ValidationError } from 'elysia'
import type { TooManyDelegations } from '../delegation/delegations.ts'
import type { StoreUnavailable } from '../delegation/store/store.ts'
import type { WrongUser } from '../exchange/authorisation.ts'
import type { ClientApiNotLocated, DelegationForbidden } from '../exchange/leave-takeover.ts'
import type { SfuError } from '../livekit/twirp.ts'
import type { ForgedWebhook } from '../livekit/webhook.ts'
import type { VerificationError } from '../matrix/verification-error.ts'
import { type BodyError, FieldError } from './json-body.ts'

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

type KnownError =
  | BodyError
  | ClientApiNotLocated
  | DelegationForbidden
  | FieldError
  | ForgedWebhook
  | MethodNotAllowed
  | SfuError
  | ShuttingDown
  | StoreUnavailable
  | TooManyDelegations
  | VerificationError
  | WrongUser

/** How an error is answered and logged. */
interface Entry {
  readonly status: number
  readonly errcode: string
  /** Text for the client; default: the message of the error. */
  readonly error?: string
  /** For the log: the step that failed. */
  readonly step?: string
}

const UNAUTHORIZED = { status: 401, errcode: 'M_UNAUTHORIZED' }
const NOT_AUTHORISED = { ...UNAUTHORIZED, error: 'The request could not be authorised.' }
const NOT_JSON = { status: 400, errcode: 'M_NOT_JSON' }
const BAD_JSON = { status: 400, errcode: 'M_BAD_JSON' }
const UNKNOWN = { errcode: 'M_UNKNOWN' }
const NOT_FOR_THIS_USER = 'Delegation of delayed leave events is not available to this user.'

/** The one table that turns errors into Matrix errors; a missing entry is a compile error. */
const ENTRIES: Readonly<Record<KnownError['code'], Entry>> = {
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
  'takeover-forbidden': { status: 403, errcode: 'M_FORBIDDEN', error: NOT_FOR_THIS_USER },
  'client-api-not-located': {
    ...BAD_JSON,
    error: 'Unable to resolve client-server API',
    step: 'client-api',
  },
  'too-many-delegations': {
    status: 429,
    errcode: 'M_LIMIT_EXCEEDED',
    error: 'Too many delegations.',
    step: 'limit',
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

/** How a failed request is answered and logged. */
export interface Failure extends Entry {
  /** Text for the client: without tokens, addresses, or answers of other servers. */
  readonly error: string
  /** Value of the `Allow` header. */
  readonly allow?: string
  /** How long the client should wait before it tries again. */
  readonly retryAfterMs?: number
  /** For the log. */
  readonly cause?: string
}

function isKnown(error: unknown): error is KnownError {
  return error instanceof Error && 'code' in error && Object.hasOwn(ENTRIES, String(error.code))
}

/** Failure for an error of the framework, or for an unknown one. */
function frameworkFailure(code: string | number, error: unknown): Failure {
  if (error instanceof Error && error.name === 'AbortError') {
    // The client hung up while it sent the body; nobody reads this.
    return { ...NOT_JSON, error: 'The body did not arrive.' }
  }
  if (code === 'NOT_FOUND') {
    return { status: 404, errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' }
  }
  const cause = error instanceof Error ? `${error.name} (${code})` : `unknown (${code})`
  return { ...UNKNOWN, status: 500, error: 'Internal error', step: 'internal', cause }
}

/** Chooses the member of a union schema that a value is checked against. */
type FormOf = (value: unknown) => number

/** Names the field that a schema refused. The framework's own message would repeat the body. */
function fieldError({ valueError }: ValidationError): FieldError {
  const formOf: FormOf | undefined = valueError?.schema.formOf
  const form = valueError?.errors[formOf?.(valueError.value) ?? 0]
  const [first] = formOf === undefined ? [valueError] : (form ?? [])
  return new FieldError((first?.path ?? '').slice(1).replaceAll('/', '.'))
}

function ownError(thrown: unknown): unknown {
  if (thrown instanceof ValidationError) return fieldError(thrown)
  // The framework wraps what a body parser throws.
  const isWrapped = thrown instanceof Error && 'code' in thrown && thrown.code === 'PARSE'
  return isWrapped ? (thrown.cause ?? thrown) : thrown
}

/**
 * Turns an error into a failure.
 *
 * @param code - error code of the framework
 */
export function failureOf(code: string | number, thrown: unknown): Failure {
  const error = ownError(thrown)
  if (!isKnown(error)) return frameworkFailure(code, error)
  const entry = ENTRIES[error.code]
  return {
    error: error.message,
    ...entry,
    ...(error.code === 'verification-failed' && { step: error.step }),
    ...(error.code === 'method-not-allowed' && { allow: error.allow }),
    ...(error.code === 'too-many-delegations' && { retryAfterMs: error.retryAfterMs }),
    ...(isWorthTelling(error) && { cause: error.message }),
  }
}

/** Common mistakes of clients need no `cause` in the log: the error code says it all. */
function isWorthTelling({ code }: KnownError): boolean {
  return !['body-too-large', 'method-not-allowed', 'shutting-down'].includes(code)
}
