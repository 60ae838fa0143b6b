/** The step at which a verification failed. */
export type VerificationStep = 'server-name' | 'queue' | 'discovery' | 'connect' | 'userinfo'

/**
 * An OpenID token could not be verified. The message says why, for the operator's log; it holds no
 * token and no URL, and is not for clients.
 */
export class VerificationError extends Error {
  readonly code = 'verification-failed'
  readonly step: VerificationStep

  constructor(step: VerificationStep, message: string) {
    super(message)
    this.name = 'VerificationError'
    this.step = step
  }
}
