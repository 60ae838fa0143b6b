import { TooManyDelegations } from '../delegation/delegations.ts'
import { StoreUnavailable } from '../delegation/store/store.ts'
import { WrongUser } from '../exchange/authorisation.ts'
import { ClientApiNotLocated, DelegationForbidden } from '../exchange/leave-takeover.ts'
import { SfuError } from '../livekit/twirp.ts'
import { ForgedWebhook } from '../livekit/webhook.ts'
import { VerificationError } from '../matrix/verification-error.ts'
import { BodyError } from './body-bytes.ts'
import { FieldError } from './json-body.ts'

/** How a failed request is answered, and what the operator is told. */
export interface Failure {
  readonly status: number
  readonly errcode: string
  /** For the client: it holds no token, no answer of others, no address. */
  readonly error: string
  /** Methods for the `Allow` header. */
  readonly allow?: string
  /** After how many milliseconds to try again. */
  readonly retryAfterMs?: number
  /** For the log. */
  readonly step?: string
  readonly cause?: string
}

/** The service is about to end and takes no more requests. */
export class ShuttingDown extends Error {
  constructor() {
    super('shutting down')
    this.name = 'ShuttingDown'
  }
}

/** A restricted user asked for nothing but a takeover. */
export class TakeoverForbidden extends Error {
  constructor() {
    super('takeover for a restricted user')
    this.name = 'TakeoverForbidden'
  }
}

/** A known path was asked with a method that it does not have. */
export class MethodNotAllowed extends Error {
  /** The methods that it has, for the `Allow` header. */
  readonly allow: string

  constructor(allow: string) {
    super('method not allowed')
    this.name = 'MethodNotAllowed'
    this.allow = allow
  }
}

const UNAUTHORIZED = {
  status: 401,
  errcode: 'M_UNAUTHORIZED',
  error: 'The request could not be authorised.',
}

const NOT_FOR_THIS_USER = 'Delegation of delayed leave events is not available to this user.'

function badJson(field: FieldError): Failure {
  return { status: 400, errcode: 'M_BAD_JSON', error: field.message, cause: field.message }
}

function bodyFailure({ fault, message }: BodyError): Failure {
  if (fault === 'too-large') return { status: 413, errcode: 'M_TOO_LARGE', error: message }
  return { status: 400, errcode: 'M_NOT_JSON', error: message, cause: message }
}

/** What a user who was verified, or would have to be, is refused. */
function authorisationFailure(error: unknown): Failure | undefined {
  if (error instanceof VerificationError) {
    return { ...UNAUTHORIZED, step: error.step, cause: error.message }
  }
  if (error instanceof WrongUser) {
    return { ...UNAUTHORIZED, step: 'claimed-user', cause: error.message }
  }
  if (error instanceof DelegationForbidden) {
    return { status: 400, errcode: 'M_BAD_JSON', error: NOT_FOR_THIS_USER, cause: error.message }
  }
  if (error instanceof TakeoverForbidden) {
    return { status: 403, errcode: 'M_FORBIDDEN', error: NOT_FOR_THIS_USER, cause: error.message }
  }
  if (error instanceof TooManyDelegations) {
    const { retryAfterMs, message } = error
    const answer = { status: 429, errcode: 'M_LIMIT_EXCEEDED', error: 'Too many delegations.' }
    return { ...answer, retryAfterMs, step: 'limit', cause: message }
  }
  if (error instanceof ForgedWebhook) {
    const answer = { ...UNAUTHORIZED, error: 'The webhook is not signed by the SFU.' }
    return { ...answer, step: 'webhook', cause: error.message }
  }
  return undefined
}

/** What the outside made impossible. */
function outsideFailure(error: unknown): Failure | undefined {
  if (error instanceof SfuError) {
    const answer = { status: 500, errcode: 'M_UNKNOWN', error: 'Unable to create room on SFU' }
    return { ...answer, step: 'sfu', cause: error.message }
  }
  if (error instanceof ClientApiNotLocated) {
    const answer = {
      status: 400,
      errcode: 'M_BAD_JSON',
      error: 'Unable to resolve client-server API',
    }
    return { ...answer, step: 'client-api', cause: error.message }
  }
  if (error instanceof StoreUnavailable) {
    const answer = { status: 503, errcode: 'M_UNKNOWN', error: 'The state store is not available.' }
    return { ...answer, step: 'store', cause: error.message }
  }
  return undefined
}

function frameworkFailure(code: string | number, error: unknown): Failure | undefined {
  if (error instanceof Error && error.name === 'AbortError') {
    // The client hung up while it sent the body; nobody reads this.
    return { status: 400, errcode: 'M_NOT_JSON', error: 'The body did not arrive.' }
  }
  if (code === 'NOT_FOUND') {
    return { status: 404, errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' }
  }
  return undefined
}

/** The one place where the outcomes of the layers below become Matrix errors. */
export function failureOf(code: string | number, thrown: unknown): Failure {
  // The framework wraps what a body parser throws.
  const error = code === 'PARSE' && thrown instanceof Error ? (thrown.cause ?? thrown) : thrown
  if (error instanceof BodyError) return bodyFailure(error)
  if (error instanceof FieldError) return badJson(error)
  if (error instanceof MethodNotAllowed) {
    const { allow } = error
    return { status: 405, errcode: 'M_UNRECOGNIZED', error: 'Method not allowed', allow }
  }
  if (error instanceof ShuttingDown) {
    return { status: 503, errcode: 'M_UNKNOWN', error: 'The service is shutting down.' }
  }
  const known =
    authorisationFailure(error) ?? outsideFailure(error) ?? frameworkFailure(code, error)
  if (known !== undefined) return known
  const cause = error instanceof Error ? `${error.name} (${code})` : `unknown (${code})`
  return { status: 500, errcode: 'M_UNKNOWN', error: 'Internal error', step: 'internal', cause }
}
