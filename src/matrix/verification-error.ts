import type { Trouble } from '../trouble.ts'
import type { ExchangeProblem } from './exchange-trouble.ts'

/** The step at which a verification failed. */
export type VerificationStep = 'server-name' | 'queue' | 'discovery' | 'connect' | 'userinfo'

/** Why a token could not be verified. */
export type FederationCode =
  | `federation.${ExchangeProblem}`
  | 'federation.invalid-name'
  | 'federation.token-refused'
  | 'federation.no-openid'
  | 'federation.not-matrix'
  | 'federation.unexpected-answer'
  | 'federation.foreign-user'

/**
 * An OpenID token could not be verified. What was found is for the operator's log, not for clients, and
 * contains no token or URL.
 */
export class VerificationError extends Error {
  readonly code = 'verification-failed'
  readonly step: VerificationStep
  readonly trouble: Trouble<FederationCode>

  constructor(step: VerificationStep, trouble: Trouble<FederationCode>) {
    super(trouble.found)
    this.name = 'VerificationError'
    this.step = step
    this.trouble = trouble
  }

  /** Whether the homeserver answered that it does not know the token. */
  get isRefusal(): boolean {
    return this.trouble.code === 'federation.token-refused'
  }
}
