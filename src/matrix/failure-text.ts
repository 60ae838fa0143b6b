import type { RequestFailure } from '../net/failures.ts'
import { UnreachableError } from '../net/target-client.ts'

/** What went wrong, for the operator, and which setting would permit what was refused. */
export function failureText(failure: RequestFailure): string {
  if (!(failure instanceof UnreachableError) || failure.denied.length === 0) return failure.message
  const addresses = failure.denied.join(',')
  return `${failure.message}; LIVEKIT_FEDERATION_ALLOW_NETWORKS=${addresses} would allow it`
}
