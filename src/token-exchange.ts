import { type AccessLevel, accessLevel, type FullAccess } from './access.ts'
import type { TokenSigner } from './livekit/access-token.ts'
import type { RoomService } from './livekit/room-service.ts'
import type { OpenIdToken, VerifyOpenIdToken } from './matrix/openid.ts'

/** A delayed leave event that the service is asked to take over. */
export interface DelayedLeave {
  readonly delayId: string
  readonly delayMs: number
}

/** A request for a LiveKit access token, whichever endpoint it came in by. */
export interface TokenRequest {
  readonly openIdToken: OpenIdToken
  /** Who the client says it is; `undefined` where the endpoint does not ask. */
  readonly claimedUserId: string | undefined
  /** Name of the LiveKit room. */
  readonly room: string
  /** LiveKit identity of the verified user. */
  identityOf(userId: string): string
  readonly delayedLeave: DelayedLeave | undefined
}

/** A LiveKit access token, and what led to it. */
export interface IssuedToken {
  readonly jwt: string
  readonly userId: string
  readonly identity: string
  readonly access: AccessLevel
}

/** Why a request by a verified user gets no token. */
export type RefusalReason =
  | 'claimed another user ID'
  | 'delegation by a restricted user'
  | 'delegation is unavailable'

/** A request by a verified user gets no token. */
export class TokenRefusal extends Error {
  readonly reason: RefusalReason

  constructor(reason: RefusalReason) {
    super(reason)
    this.name = 'TokenRefusal'
    this.reason = reason
  }
}

/** What the exchange needs of the outside, and what the operator has chosen. */
export interface TokenExchangeOptions {
  readonly verify: VerifyOpenIdToken
  readonly rooms: RoomService
  readonly signer: TokenSigner
  readonly fullAccess: FullAccess
  readonly tokenTtlSeconds: number
  readonly restrictedCanPublish: boolean
  readonly canUpdateOwnMetadata: boolean
}

/**
 * Exchanges a Matrix OpenID token for a LiveKit access token; for a user with full access the LiveKit
 * room is there before the token is.
 *
 * @param onAccess - told the access level as soon as it is known
 * @throws {VerificationError} when the OpenID token cannot be verified
 * @throws {TokenRefusal} when the verified user may not have what was asked for
 * @throws {SfuError} when the room cannot be created
 */
export type ExchangeToken = (
  request: TokenRequest,
  onAccess: (level: AccessLevel) => void,
) => Promise<IssuedToken>

function checkDelegation(request: TokenRequest, access: AccessLevel): void {
  if (request.delayedLeave === undefined) return
  if (access === 'restricted') throw new TokenRefusal('delegation by a restricted user')
  throw new TokenRefusal('delegation is unavailable')
}

/** Makes the token exchange. */
export function createTokenExchange(options: TokenExchangeOptions): ExchangeToken {
  const { verify, rooms, signer, fullAccess, tokenTtlSeconds, canUpdateOwnMetadata } = options

  return async function exchangeToken(request, onAccess) {
    const userId = await verify(request.openIdToken)
    if (request.claimedUserId !== undefined && request.claimedUserId !== userId) {
      throw new TokenRefusal('claimed another user ID')
    }
    const access = accessLevel(request.openIdToken.matrixServerName, fullAccess)
    onAccess(access)
    checkDelegation(request, access)

    const { room } = request
    if (access === 'full') await rooms.createRoom(room)
    const identity = request.identityOf(userId)
    const canPublish = access === 'full' || options.restrictedCanPublish
    const participation = { room, identity, canPublish, canUpdateOwnMetadata }
    const jwt = await signer.participantToken(participation, tokenTtlSeconds)
    return { jwt, userId, identity, access }
  }
}
