import { DeadlineExceeded } from './deadline.ts'
import { ExchangeError } from './exchange.ts'
import { UnreachableError } from './target-client.ts'

/** What a request to a server can fail with. */
export type RequestFailure = DeadlineExceeded | ExchangeError | UnreachableError

/** Tells a failed request from a mistake in the program. */
export function isRequestFailure(error: unknown): error is RequestFailure {
  return (
    error instanceof DeadlineExceeded ||
    error instanceof ExchangeError ||
    error instanceof UnreachableError
  )
}
