import type { CancellationSignal } from '../lib/cancellation.ts'
import type { TokenSigner } from '../livekit/access-token.ts'
import type { RoomService } from '../livekit/room-service.ts'
import { serverNameOfUser } from '../matrix/server-name.ts'
import type { Membership } from '../membership/membership.ts'
import { type MemberRequest, requireOwnUrl } from './member-request.ts'
import type { RelayTokenRequest } from './relay.ts'

/** The user is not one of the server that asks. */
export class ForeignUser extends Error {
  readonly code = 'foreign-user'

  constructor() {
    super('the user is not of the server that asks')
    this.name = 'ForeignUser'
  }
}

/** The user has too many tokens that have not expired. */
export class TooManyTokens extends Error {
  readonly code = 'too-many-tokens'
  /** How long the client should wait before it tries again. */
  readonly retryAfterMs = 60_000

  constructor() {
    super('the user has too many tokens that have not expired')
    this.name = 'TooManyTokens'
  }
}

/** A token that is about to be handed out. */
export interface TokenToRemember {
  readonly matrixRoom: string
  /** Name of the LiveKit room. */
  readonly room: string
  readonly identity: string
  readonly userId: string
}

/** A token that is remembered. */
export interface RememberedToken {
  /** The token was not handed out after all, and does not count. */
  takeBack(): Promise<void>
}

/**
 * Makes LiveKit access tokens for members of Matrix rooms, whom their homeserver vouches for. Every check
 * is done before anything that comes after it is asked of anyone.
 */
export interface MemberTokens {
  /**
   * A token for a user of our homeserver, for our SFU or for that of another homeserver.
   *
   * @param serverName - of the homeserver whose SFU it is
   * @param signal - fires when the caller no longer needs the answer
   * @throws {InvalidParameter} when the URL is not that of our SFU
   * @throws {NotJoined} when the user, or the other server, is not joined to the Matrix room
   * @throws {HomeserverFailed} when the homeserver does not say
   * @throws {RelayRefused} when the other homeserver's service refuses
   * @throws {RelayFailed} when it does not answer as expected
   * @throws {TooManyTokens}
   * @throws {StoreUnavailable} when the token cannot be remembered
   * @throws {SfuError} when the LiveKit room cannot be created
   */
  forOwnUser(
    request: MemberRequest,
    serverName: string,
    signal: CancellationSignal,
  ): Promise<string>
  /**
   * A token for our SFU for a user of another homeserver, who may not publish.
   *
   * @param origin - server name of the homeserver that asks
   * @throws {ForeignUser} besides those above
   */
  forFederatedUser(
    request: MemberRequest,
    origin: string,
    signal: CancellationSignal,
  ): Promise<string>
}

/** Options of {@link createMemberTokens}. */
export interface MemberTokensOptions {
  /** Our homeserver's server name. */
  readonly serverName: string
  /** The SFU's URL as clients know it. */
  readonly liveKitUrl: string
  readonly membership: Membership
  readonly relay: RelayTokenRequest
  /** @throws {TooManyTokens} */
  readonly remember: (token: TokenToRemember) => Promise<RememberedToken>
  readonly rooms: Pick<RoomService, 'createRoom'>
  readonly signer: TokenSigner
  readonly tokenTtlSeconds: number
  readonly canUpdateOwnMetadata: boolean
}

/** Creates {@link MemberTokens}. */
export function createMemberTokens(options: MemberTokensOptions): MemberTokens {
  const { serverName: ownName, liveKitUrl, membership, relay, remember, rooms, signer } = options
  const { tokenTtlSeconds, canUpdateOwnMetadata } = options

  async function issue(request: MemberRequest, canPublish: boolean): Promise<string> {
    const { roomId, userId, room, identity } = request
    // Before the room is created, which nobody may cause who gets no token.
    const remembered = await remember({ matrixRoom: roomId, room, identity, userId })
    await rooms.createRoom(room).catch(async (error: unknown) => {
      await remembered.takeBack()
      throw error
    })
    const participation = { room, identity, canPublish, canUpdateOwnMetadata }
    return signer.participantToken(participation, tokenTtlSeconds)
  }

  return {
    async forOwnUser(request, serverName, signal) {
      const { roomId, userId } = request
      if (serverName === ownName) {
        requireOwnUrl(request, liveKitUrl)
        await membership.requireJoined(roomId, { userId }, signal)
        return issue(request, true)
      }
      await membership.requireJoined(roomId, { userId }, signal)
      await membership.requireJoined(roomId, { serverName }, signal)
      return relay(serverName, request, signal)
    },

    async forFederatedUser(request, origin, signal) {
      const { roomId, userId } = request
      if (serverNameOfUser(userId) !== origin) throw new ForeignUser()
      await membership.requireJoined(roomId, { serverName: ownName }, signal)
      await membership.requireJoined(roomId, { userId }, signal)
      requireOwnUrl(request, liveKitUrl)
      return issue(request, false)
    },
  }
}
