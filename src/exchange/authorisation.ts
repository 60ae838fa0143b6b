import type { Asker } from '../matrix/federation.ts'
import type { OpenIdToken, VerifyOpenIdToken } from '../matrix/openid.ts'
import { type Access, type AccessPolicy, accessOf } from './access.ts'

/** A verified user in one LiveKit room. */
export interface Participant {
  readonly user: AuthorisedUser
  /** Name of the LiveKit room. */
  readonly room: string
  /** LiveKit identity. */
  readonly identity: string
}

/** What a client presents to prove who it is. */
export interface Credentials {
  readonly openIdToken: OpenIdToken
  /** The user ID that the client claims; `undefined` if the endpoint has no such field. */
  readonly claimedUserId: string | undefined
}

/** A user whose OpenID token was verified. */
export interface AuthorisedUser {
  readonly userId: string
  /** Server name of the user's homeserver. */
  readonly serverName: string
  readonly access: Access
}

/** The verified user is not the one that the client claimed. */
export class WrongUser extends Error {
  readonly code = 'wrong-user'

  constructor() {
    super('claimed another user ID')
    this.name = 'WrongUser'
  }
}

/**
 * Verifies a user and determines their access.
 *
 * @throws {VerificationError} when the OpenID token cannot be verified
 * @throws {WrongUser}
 */
export type Authorise = (credentials: Credentials, asker: Asker) => Promise<AuthorisedUser>

/** Creates {@link Authorise}. */
export function createAuthorisation(verify: VerifyOpenIdToken, policy: AccessPolicy): Authorise {
  return async function authorise({ openIdToken, claimedUserId }, asker) {
    const userId = await verify(openIdToken, asker)
    if (claimedUserId !== undefined && claimedUserId !== userId) throw new WrongUser()
    const serverName = openIdToken.matrixServerName
    return { userId, serverName, access: accessOf(serverName, policy) }
  }
}
