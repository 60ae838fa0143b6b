import type { Delegations } from '../delegation/delegations.ts'
import type { CancellationSignal } from '../lib/cancellation.ts'
import type { ClientApi } from '../matrix/client-api.ts'
import type { ClientApiLocator } from '../matrix/client-api-location.ts'
import type { DelayedEventCode } from '../matrix/delayed-events.ts'
import type { Trouble } from '../trouble.ts'
import { InvalidParameter, type MemberRequest, requireOwnUrl } from './member-request.ts'

/** The homeserver does not say what the delayed event is. */
export class DelayedEventUnavailable extends Error {
  readonly code = 'delayed-event-unavailable'
  readonly trouble: Trouble<DelayedEventCode>

  constructor(trouble: Trouble<DelayedEventCode>) {
    super(trouble.found)
    this.name = 'DelayedEventUnavailable'
    this.trouble = trouble
  }
}

/**
 * Takes over the delayed leave event of a user of our homeserver.
 *
 * @param signal - fires when the caller no longer needs the answer
 * @throws {InvalidParameter} when the URL is not that of our SFU, or the user has no such event in the room
 * @throws {DelayedEventUnavailable} when the homeserver does not say
 * @throws {TooManyDelegations}
 * @throws {StoreUnavailable} when the store is away
 */
export type TakeOverMemberLeave = (
  request: MemberRequest,
  delayId: string,
  signal: CancellationSignal,
) => Promise<void>

/** Options of {@link createMemberLeave}. */
export interface MemberLeaveOptions {
  /** Our homeserver's server name. */
  readonly serverName: string
  readonly asToken: string
  /** The SFU's URL as clients know it. */
  readonly liveKitUrl: string
  readonly locator: Pick<ClientApiLocator, 'locate'>
  readonly clientApi: Pick<ClientApi, 'readDelayedEvent'>
  readonly delegations: Pick<Delegations, 'delegate'>
}

/** Creates {@link TakeOverMemberLeave}. */
export function createMemberLeave(options: MemberLeaveOptions): TakeOverMemberLeave {
  const { serverName, asToken, liveKitUrl, locator, clientApi, delegations } = options

  /** Gives the delay in milliseconds. */
  async function readDelay(
    { userId, roomId }: MemberRequest,
    delayId: string,
    signal: CancellationSignal,
  ) {
    const location = await locator.locate(serverName)
    if (location.kind !== 'found') throw new DelayedEventUnavailable(location.trouble)
    const { baseUrl } = location
    const actingFor = { userId, asToken }
    const event = { serverName, baseUrl, delayId, actingFor }
    const found = await clientApi.readDelayedEvent(event, signal)
    if (found.kind === 'failed') throw new DelayedEventUnavailable(found.trouble)
    if (found.kind === 'gone' || found.roomId !== roomId) {
      throw new InvalidParameter('delay_id', 'is no delayed event of the user in the room')
    }
    return found.delayMs
  }

  return async function takeOverMemberLeave(request, delayId, signal) {
    requireOwnUrl(request, liveKitUrl)
    const delayMs = await readDelay(request, delayId, signal)
    const { userId, room, identity } = request
    const leave = { room, identity, serverName, userId, isVouched: true, delayId, delayMs }
    await delegations.delegate(leave)
  }
}
