import type { TokenSigner } from '../livekit/access-token.ts'
import type { RoomService } from '../livekit/room-service.ts'
import type { Authorise, AuthorisedUser, Credentials } from './authorisation.ts'
import type { AcceptableLeave, DelayedLeave, LeaveTakeover } from './leave-takeover.ts'

/** A participant, and how it proves who it is. */
export interface ParticipantRequest extends Credentials {
  /** Name of the LiveKit room. */
  readonly room: string
  /** LiveKit identity of the verified user. */
  identityOf(userId: string): string
}

/** A request for a LiveKit access token, whichever endpoint it came in by. */
export interface TokenRequest extends ParticipantRequest {
  readonly delayedLeave: DelayedLeave | undefined
}

/** A request to take over a delayed leave event. */
export interface TakeoverRequest extends ParticipantRequest {
  readonly delayedLeave: DelayedLeave
}

/** Told what is known of a request as soon as it is, for the log. */
export interface Progress {
  authorised(user: AuthorisedUser): void
  identified(identity: string): void
}

/** What the service does for participants. */
export interface TokenExchange {
  /**
   * Exchanges a Matrix OpenID token for a LiveKit access token; for a user with full access the
   * LiveKit room is there before the token is, and a delayed leave event is taken over.
   *
   * @returns the access token
   * @throws {VerificationError} when the OpenID token cannot be verified
   * @throws {WrongUser} when its user is not the claimed one
   * @throws {DelegationForbidden} when a restricted user delegates
   * @throws {ClientApiNotLocated} when the client API cannot be located for a delegation
   * @throws {SfuError} when the room cannot be created
   * @throws {TooManyDelegations} when the user, or the server, has too many of them
   * @throws {StoreUnavailable} when the delegation cannot be stored
   */
  exchange(request: TokenRequest, progress: Progress): Promise<string>
  /** Takes over a delayed leave event; throws as {@link exchange} does. */
  takeOver(request: TakeoverRequest, progress: Progress): Promise<void>
}

/** What the exchange needs of the outside, and what the operator has chosen. */
export interface TokenExchangeOptions {
  readonly authorise: Authorise
  readonly takeover: LeaveTakeover
  readonly rooms: RoomService
  readonly signer: TokenSigner
  readonly tokenTtlSeconds: number
  readonly restrictedCanPublish: boolean
  readonly canUpdateOwnMetadata: boolean
}

/** Makes the token exchange. */
export function createTokenExchange(options: TokenExchangeOptions): TokenExchange {
  const { authorise, takeover, rooms, signer, tokenTtlSeconds, canUpdateOwnMetadata } = options

  async function identify(request: ParticipantRequest, progress: Progress) {
    const user = await authorise(request)
    progress.authorised(user)
    const identity = request.identityOf(user.userId)
    progress.identified(identity)
    return { user, identity }
  }

  async function prepareLeave(user: AuthorisedUser, request: TokenRequest) {
    const { delayedLeave, signal } = request
    return delayedLeave === undefined ? undefined : takeover.prepare(user, delayedLeave, signal)
  }

  async function takeLeave(room: string, identity: string, leave: AcceptableLeave | undefined) {
    if (leave !== undefined) await takeover.take(room, identity, leave)
  }

  return {
    async exchange(request, progress) {
      const { room } = request
      const { user, identity } = await identify(request, progress)
      const leave = await prepareLeave(user, request)
      if (user.access === 'full') await rooms.createRoom(room)
      await takeLeave(room, identity, leave)
      const canPublish = user.access === 'full' || options.restrictedCanPublish
      const participation = { room, identity, canPublish, canUpdateOwnMetadata }
      return signer.participantToken(participation, tokenTtlSeconds)
    },

    async takeOver(request, progress) {
      const { user, identity } = await identify(request, progress)
      const leave = await takeover.prepare(user, request.delayedLeave, request.signal)
      await takeLeave(request.room, identity, leave)
    },
  }
}
