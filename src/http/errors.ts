import { ValidationError } from 'elysia'
import { isTroubled, type Trouble } from '../trouble.ts'
import { ENTRIES, type Entry, type KnownError, NOT_JSON, UNKNOWN } from './error-table.ts'
import { FieldError } from './json-body.ts'

/** How a failed request is answered and logged. */
export interface Failure extends Entry {
  /** Text for the client: without tokens, addresses, or answers of other servers. */
  readonly error: string
  /** Value of the `Allow` header. */
  readonly allow?: string
  /** How long the client should wait before it tries again. */
  readonly retryAfterMs?: number
  /** The limit that was reached. */
  readonly limit?: string
  /** Whether the limits tell of it, in a line for many requests. */
  readonly isOneOfMany?: boolean
  /** For the log: why, where there is nothing that the operator could do. */
  readonly cause?: string
  /** For the log: why, where there may be. */
  readonly trouble?: Trouble
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
    ...('retryAfterMs' in error && { retryAfterMs: error.retryAfterMs, limit: limitOf(error) }),
    ...(error.code === 'too-many-requests' && { isOneOfMany: true }),
    ...reasonOf(error),
  }
}

/** Which limit was reached. */
function limitOf(error: KnownError): string {
  if (error.code === 'too-many-requests') return error.limit
  return error.code === 'too-many-tokens' ? 'tokens' : 'delegations'
}

/** What is logged of an error, beside the step. */
function reasonOf(error: KnownError): Pick<Failure, 'cause' | 'trouble'> {
  if (isTroubled(error)) return { trouble: error.trouble }
  return isWorthTelling(error) ? { cause: error.message } : {}
}

/** Common mistakes of clients need no `cause` in the log: the error code says it all. */
function isWorthTelling({ code }: KnownError): boolean {
  return !['body-too-large', 'method-not-allowed', 'shutting-down'].includes(code)
}
