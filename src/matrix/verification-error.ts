import { type RequestFailure, UnreachableError } from '../net/target-client.ts'

/** The message of a failure, for the operator, with the setting that would permit a denied address. */
export function failureText(failure: RequestFailure): string {
  if (!(failure instanceof UnreachableError) || failure.denied.length === 0) return failure.message
  const addresses = failure.denied.join(',')
  return `${failure.message}; LIVEKIT_FEDERATION_ALLOW_NETWORKS=${addresses} would allow it`
}

/** The step at which a verification failed. */
export type VerificationStep = 'server-name' | 'queue' | 'discovery' | 'connect' | 'userinfo'

/**
 * An OpenID token could not be verified. The message says why. It is for the operator's log, not for
 * clients, and contains no token or URL.
 */
export class VerificationError extends Error {
  readonly code = 'verification-failed'
  readonly step: VerificationStep
  /** Whether the homeserver answered that it does not know the token. */
  readonly isRefusal: boolean

  constructor(step: VerificationStep, message: string, { isRefusal = false } = {}) {
    super(message)
    this.name = 'VerificationError'
    this.step = step
    this.isRefusal = isRefusal
  }
}
