import type { OpenIdToken, VerifyOpenIdToken } from '../matrix/openid.ts'
import { type AccessLevel, accessLevel, type FullAccess } from './access.ts'

/** What a client presents to prove who it is. */
export interface Credentials {
  readonly openIdToken: OpenIdToken
  /** Who the client says it is; `undefined` where the endpoint does not ask. */
  readonly claimedUserId: string | undefined
  /** Fires when the client has hung up. */
  readonly signal?: AbortSignal
}

/** A user whose OpenID token was verified. */
export interface AuthorisedUser {
  readonly userId: string
  /** Server name of the user's homeserver. */
  readonly serverName: string
  readonly access: AccessLevel
}

/** The user is verified, and not the one that the client claimed to be. */
export class WrongUser extends Error {
  constructor() {
    super('claimed another user ID')
    this.name = 'WrongUser'
  }
}

/**
 * Tells who the user is and what the user may do.
 *
 * @throws {VerificationError} when the OpenID token cannot be verified
 * @throws {WrongUser}
 */
export type Authorise = (credentials: Credentials) => Promise<AuthorisedUser>

/** Makes the authorisation of users. */
export function createAuthorisation(verify: VerifyOpenIdToken, fullAccess: FullAccess): Authorise {
  return async function authorise({ openIdToken, claimedUserId, signal }) {
    const userId = await verify(openIdToken, signal)
    if (claimedUserId !== undefined && claimedUserId !== userId) throw new WrongUser()
    const serverName = openIdToken.matrixServerName
    return { userId, serverName, access: accessLevel(serverName, fullAccess) }
  }
}
