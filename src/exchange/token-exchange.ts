import type { CancellationSignal } from '../lib/cancellation.ts'
import type { TokenSigner } from '../livekit/access-token.ts'
import type { RoomService } from '../livekit/room-service.ts'
import type { Participant } from './authorisation.ts'
import type { DelayedLeave, LeaveTakeover } from './leave-takeover.ts'

/** Makes LiveKit access tokens for participants. */
export interface TokenExchange {
  /**
   * Issues an access token. For a user with full access it first creates the LiveKit room, and takes
   * over the delayed leave event if there is one.
   *
   * @param signal - fires when the client has hung up
   * @throws {DelegationForbidden} when a restricted user delegates
   * @throws {ClientApiNotLocated} when the client API cannot be located for a delegation
   * @throws {SfuError} when the room cannot be created
   * @throws {TooManyDelegations} when the user, or the server, has too many of them
   * @throws {StoreUnavailable} when the delegation cannot be stored
   */
  exchange(
    participant: Participant,
    leave: DelayedLeave | undefined,
    signal: CancellationSignal,
  ): Promise<string>
}

/** Options of {@link createTokenExchange}. */
export interface TokenExchangeOptions {
  readonly takeover: LeaveTakeover
  readonly rooms: RoomService
  readonly signer: TokenSigner
  readonly tokenTtlSeconds: number
  readonly canUpdateOwnMetadata: boolean
}

/** Creates {@link TokenExchange}. */
export function createTokenExchange(options: TokenExchangeOptions): TokenExchange {
  const { takeover, rooms, signer, tokenTtlSeconds, canUpdateOwnMetadata } = options

  return {
    async exchange(participant, leave, signal) {
      const { user, room, identity } = participant
      const { canStartCalls, canPublish } = user.access
      const acceptable = leave && (await takeover.prepare(user, leave, signal))
      if (canStartCalls) await rooms.createRoom(room)
      // Promise: only a request with an event to take over depends on the store.
      if (acceptable !== undefined) await takeover.take(room, identity, acceptable)
      const participation = { room, identity, canPublish, canUpdateOwnMetadata }
      return signer.participantToken(participation, tokenTtlSeconds)
    },
  }
}
