import { ValidationError } from 'elysia'
import { SfuError } from '../livekit/twirp.ts'
import { VerificationError } from '../matrix/verification-error.ts'
import { type RefusalReason, TokenRefusal } from '../token-exchange.ts'
import { BodyError, FieldError } from './json-body.ts'

/** How a failed request is answered, and what the operator is told. */
export interface Failure {
  readonly status: number
  readonly errcode: string
  /** For the client: it holds no token, no answer of others, no address. */
  readonly error: string
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

/** A known path was asked with a method that it does not have. */
export class MethodNotAllowed extends Error {
  constructor() {
    super('method not allowed')
    this.name = 'MethodNotAllowed'
  }
}

const UNAUTHORIZED = {
  status: 401,
  errcode: 'M_UNAUTHORIZED',
  error: 'The request could not be authorised.',
}

const REFUSALS: Readonly<Record<RefusalReason, Failure>> = {
  'claimed another user ID': { ...UNAUTHORIZED, step: 'claimed-user' },
  'delegation by a restricted user': {
    status: 400,
    errcode: 'M_BAD_JSON',
    error: 'Delegation of delayed leave events is not available to this user.',
  },
  'delegation is unavailable': {
    status: 503,
    errcode: 'M_UNKNOWN',
    error: 'Delegation of delayed leave events is not available at the moment.',
  },
}

function badJson(field: FieldError): Failure {
  return { status: 400, errcode: 'M_BAD_JSON', error: field.message, cause: field.message }
}

function bodyFailure({ fault, message }: BodyError): Failure {
  if (fault === 'too-large') return { status: 413, errcode: 'M_TOO_LARGE', error: message }
  return { status: 400, errcode: 'M_NOT_JSON', error: message }
}

/** Path of the member that a schema refused, such as `member.id`. */
export function fieldAt(pointer: string): string {
  return pointer.slice(1).replaceAll('/', '.')
}

function frameworkFailure(code: string | number, error: unknown): Failure | undefined {
  if (error instanceof ValidationError && error.type === 'body') {
    return badJson(new FieldError(fieldAt(error.valueError?.path ?? '')))
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
  if (error instanceof VerificationError) {
    return { ...UNAUTHORIZED, step: error.step, cause: error.message }
  }
  if (error instanceof TokenRefusal) return { cause: error.reason, ...REFUSALS[error.reason] }
  if (error instanceof SfuError) {
    const answer = { status: 500, errcode: 'M_UNKNOWN', error: 'Unable to create room on SFU' }
    return { ...answer, step: 'sfu', cause: error.message }
  }
  if (error instanceof MethodNotAllowed) {
    return { status: 405, errcode: 'M_UNRECOGNIZED', error: 'Method not allowed' }
  }
  if (error instanceof ShuttingDown) {
    return { status: 503, errcode: 'M_UNKNOWN', error: 'The service is shutting down.' }
  }
  const known = frameworkFailure(code, error)
  if (known !== undefined) return known
  const cause = error instanceof Error ? `${error.name} (${code})` : `unknown (${code})`
  return { status: 500, errcode: 'M_UNKNOWN', error: 'Internal error', step: 'internal', cause }
}
