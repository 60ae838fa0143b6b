import type { Delegations } from '../delegation/delegations.ts'
import type { CancellationSignal } from '../lib/cancellation.ts'
import type { ClientApiCode, ClientApiLocator } from '../matrix/client-api-location.ts'
import type { Trouble } from '../trouble.ts'
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

/** Why a user may not do something. */
export type AccessCode = 'access.restricted'

const RESTRICTED = { code: 'access.restricted', found: 'delegation by a restricted user' } as const

/** A restricted user asked for delegation, with a token request or on its own (`takeover-forbidden`). */
export class DelegationForbidden extends Error {
  readonly code: 'delegation-forbidden' | 'takeover-forbidden'
  readonly trouble: Trouble<AccessCode> = RESTRICTED

  constructor(code: DelegationForbidden['code']) {
    super(RESTRICTED.found)
    this.name = 'DelegationForbidden'
    this.code = code
  }
}

/** The homeserver's client API cannot be located. */
export class ClientApiNotLocated extends Error {
  readonly code = 'client-api-not-located'
  readonly trouble: Trouble<ClientApiCode>

  constructor(trouble: Trouble<ClientApiCode>) {
    super(trouble.found)
    this.name = 'ClientApiNotLocated'
    this.trouble = trouble
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
  prepare(
    user: AuthorisedUser,
    leave: DelayedLeave,
    signal: CancellationSignal,
  ): Promise<AcceptableLeave>
  /**
   * Takes an event over for a participant.
   *
   * @throws {TooManyDelegations}
   * @throws {StoreUnavailable} when the store is away
   */
  take(room: string, identity: string, leave: AcceptableLeave): Promise<void>
  /** Does both, for a request that asks for nothing else. */
  takeOver(participant: Participant, leave: DelayedLeave, signal: CancellationSignal): Promise<void>
}

/** Creates {@link LeaveTakeover}. */
export function createLeaveTakeover(
  locator: ClientApiLocator,
  delegations: Delegations,
): LeaveTakeover {
  async function prepare(user: AuthorisedUser, leave: DelayedLeave, signal: CancellationSignal) {
    const { access, serverName, userId } = user
    if (!access.canDelegate) throw new DelegationForbidden('delegation-forbidden')
    const location = await locator.locateUsable(serverName, signal)
    if (location.kind !== 'found') throw new ClientApiNotLocated(location.trouble)
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
