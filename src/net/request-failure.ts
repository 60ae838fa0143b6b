import { DeadlineExceeded } from '../lib/deadline.ts'
import { type NetProblem, RequestError } from './request-error.ts'

/** One address, or host, that could not be used. */
export interface FailedAttempt {
  readonly problem: NetProblem
  /** For the operator. */
  readonly text: string
}

/** No target could be connected to; the message lists what was tried and how each attempt ended. */
export class UnreachableError extends Error {
  /** A denied address if there is one, as the operator can allow it; else why the last attempt failed. */
  readonly problem: NetProblem
  /** Addresses that the policy denies. */
  readonly denied: readonly string[]

  constructor(failures: readonly FailedAttempt[], denied: readonly string[]) {
    super(failures.map(({ text }) => text).join('; ') || 'there is nothing to connect to')
    this.name = 'UnreachableError'
    this.problem = denied.length > 0 ? 'denied-address' : (failures.at(-1)?.problem ?? 'no-address')
    this.denied = denied
  }
}

/** Errors of a failed request. */
export type RequestFailure = DeadlineExceeded | RequestError | UnreachableError

/** Whether an error is a failed request, and not a bug. */
export function isRequestFailure(error: unknown): error is RequestFailure {
  return (
    error instanceof DeadlineExceeded ||
    error instanceof RequestError ||
    error instanceof UnreachableError
  )
}

/** Why a request failed. */
export function problemOf(failure: RequestFailure): NetProblem {
  return failure instanceof DeadlineExceeded ? 'timeout' : failure.problem
}
