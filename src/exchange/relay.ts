import type { CancellationSignal } from '../lib/cancellation.ts'
import { memberOf, textMember } from '../lib/json.ts'
import type { OwnHomeserver, RelayedRequest } from '../matrix/own-homeserver.ts'
import type { RelayedAnswer } from '../matrix/own-homeserver-api.ts'
import type { Trouble } from '../trouble.ts'
import type { MemberRequest } from './member-request.ts'

const REFUSED = {
  code: 'relay.refused',
  found: 'the service of the other homeserver refused',
} as const

/** The service of another homeserver refused the request. */
export class RelayRefused extends Error {
  readonly code: 'relay-forbidden' | 'relay-invalid'
  readonly trouble: Trouble<RelayCode> = REFUSED

  constructor(code: RelayRefused['code']) {
    super(REFUSED.found)
    this.name = 'RelayRefused'
    this.code = code
  }
}

/** Why the service of another homeserver was of no help. */
export type RelayCode = 'relay.bad-answer' | 'relay.refused'

/** The service of another homeserver did not answer, or not as expected. */
export class RelayFailed extends Error {
  readonly code = 'relay-failed'
  readonly trouble: Trouble<RelayCode>

  constructor(found: string) {
    super(found)
    this.name = 'RelayFailed'
    this.trouble = { code: 'relay.bad-answer', found }
  }
}

/**
 * Gets an access token for another homeserver's SFU, through both homeservers.
 *
 * @param destination - server name
 * @throws {RelayRefused}
 * @throws {RelayFailed}
 * @throws {HomeserverFailed} when our homeserver does not pass the request on
 */
export type RelayTokenRequest = (
  destination: string,
  request: MemberRequest,
  signal: CancellationSignal,
) => Promise<string>

/** In the order in which they are tried. */
const PATHS = [
  '/_matrix/federation/unstable/io.element.msc4195/rtc/livekit/get_token',
  '/_matrix/federation/v1/rtc/livekit/get_token',
] as const

function isUnrecognized({ status, content }: RelayedAnswer): boolean {
  return status === 404 && memberOf(content, 'errcode') === 'M_UNRECOGNIZED'
}

function tokenIn({ status, content }: RelayedAnswer): string {
  const errcode = memberOf(content, 'errcode')
  if (status === 403 && errcode === 'M_FORBIDDEN') throw new RelayRefused('relay-forbidden')
  if (status === 400 && errcode === 'M_INVALID_PARAM') throw new RelayRefused('relay-invalid')
  const jwt = textMember(content, 'jwt')
  if (status === 200 && jwt !== undefined) return jwt
  throw new RelayFailed(
    `the other homeserver: status ${status}${status === 200 ? ', no "jwt"' : ''}`,
  )
}

/** Creates {@link RelayTokenRequest}. */
export function createRelay(homeserver: Pick<OwnHomeserver, 'relay'>): RelayTokenRequest {
  return async function relayTokenRequest(destination, request, signal) {
    const { userId, url, roomId, slotId, memberId } = request
    const body = { user_id: userId, url, room_id: roomId, slot_id: slotId, member_id: memberId }
    const relay = (path: string): Promise<RelayedAnswer> => {
      return homeserver.relay({ destination, path, body } satisfies RelayedRequest, signal)
    }
    const [unstable, stable] = PATHS
    const answer = await relay(unstable)
    return tokenIn(isUnrecognized(answer) ? await relay(stable) : answer)
  }
}
