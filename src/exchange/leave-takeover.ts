import type { Delegations } from '../delegation/delegations.ts'
import type { ClientApiLocator } from '../matrix/client-api-location.ts'
import type { AuthorisedUser, Participant } from './authorisation.ts'

/** A delayed leave event that the service is asked to take over. */
export interface DelayedLeave {
  readonly delayId: string
  readonly delayMs: number
}

/** A delayed leave event that was checked and can be taken over. */
export interface AcceptableLeave extends DelayedLeave {
  readonly serverName: string
  readonly userId: string
  /** Base URL of the homeserver's client API. */
  readonly clientApiUrl: string
}

/** A restricted user asked for delegation, with a token request or on its own (`takeover-forbidden`). */
export class DelegationForbidden extends Error {
  readonly code: 'delegation-forbidden' | 'takeover-forbidden'

  constructor(code: DelegationForbidden['code']) {
    super('delegation by a restricted user')
    this.name = 'DelegationForbidden'
    this.code = code
  }
}

/** The homeserver's client API cannot be located; the message says why, for the operator. */
export class ClientApiNotLocated extends Error {
  readonly code = 'client-api-not-located'

  constructor(reason: string) {
    super(reason)
    this.name = 'ClientApiNotLocated'
  }
}

/** Takes over delayed leave events. */
export interface LeaveTakeover {
  /**
   * Checks that a user's event can be taken over.
   *
   * @param signal - fires when the client has hung up
   * @throws {DelegationForbidden}
   * @throws {ClientApiNotLocated}
   */
  prepare(user: AuthorisedUser, leave: DelayedLeave, signal: AbortSignal): Promise<AcceptableLeave>
  /**
   * Takes an event over for a participant.
   *
   * @throws {TooManyDelegations}
   * @throws {StoreUnavailable} when the store is away
   */
  take(room: string, identity: string, leave: AcceptableLeave): Promise<void>
  /** Does both, for a request that asks for nothing else. */
  takeOver(participant: Participant, leave: DelayedLeave, signal: AbortSignal): Promise<void>
}

/** Creates {@link LeaveTakeover}. */
export function createLeaveTakeover(
  locator: ClientApiLocator,
  delegations: Delegations,
): LeaveTakeover {
  async function prepare(user: AuthorisedUser, leave: DelayedLeave, signal: AbortSignal) {
    const { access, serverName, userId } = user
    if (!access.canDelegate) throw new DelegationForbidden('delegation-forbidden')
    const location = await locator.locateUsable(serverName, signal)
    if (location.kind !== 'found') throw new ClientApiNotLocated(location.reason)
    return { ...leave, serverName, userId, clientApiUrl: location.baseUrl }
  }

  async function take(room: string, identity: string, leave: AcceptableLeave): Promise<void> {
    await delegations.delegate({ room, identity, ...leave })
  }

  return {
    prepare,
    take,
    async takeOver({ user, room, identity }, leave, signal) {
      if (!user.access.canDelegate) throw new DelegationForbidden('takeover-forbidden')
      await take(room, identity, await prepare(user, leave, signal))
    },
  }
}
