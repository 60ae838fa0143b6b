import { createHash } from 'node:crypto'
import type { FederatedSite } from './federated-sites.ts'
import type { ApiAnswer, MatrixClient } from './matrix-client.ts'
import type { Participant } from './webhook-log.ts'

/** What follows `/_matrix/client/` and `/_matrix/federation/` in the paths that Synapse knows. */
export const rtcPath = 'unstable/io.element.msc4195/rtc/livekit'

const slotId = 'm.call#ROOM'
const memberId = 'memberABC'

/** The call of a Matrix room, on the SFU of a site. */
export interface Call {
  readonly roomId: string
  readonly sfu: FederatedSite
}

/** Names the call and its member in a request. */
export function callBody({ roomId, sfu }: Call) {
  return { url: sfu.livekit.url, room_id: roomId, slot_id: slotId, member_id: memberId }
}

/** Asks a user's homeserver for a token, naming the site of the SFU. */
export function requestRtcToken(client: MatrixClient, call: Call): Promise<ApiAnswer> {
  const body = { ...callBody(call), server_name: call.sfu.serverName }
  return client.request('POST', `${rtcPath}/get_token`, body)
}

/** Gets a token from a user's homeserver. */
export async function getRtcToken(client: MatrixClient, call: Call): Promise<string> {
  const { status, body } = await requestRtcToken(client, call)
  if (status !== 200) throw new Error(`get_token answered ${status}: ${JSON.stringify(body)}`)
  return String(body.jwt)
}

/** Asks a user's homeserver to have the scheduled leave restarted and sent. */
export function delegateLeave(
  client: MatrixClient,
  call: Call,
  delayId: string,
): Promise<ApiAnswer> {
  const body = { ...callBody(call), delay_id: delayId }
  return client.request('POST', `${rtcPath}/delegate_delayed_leave`, body)
}

/**
 * Sends what another site asks an SFU's site for, as its application service does.
 *
 * @returns The answer of the SFU's site.
 */
export async function requestFederatedToken(
  asking: FederatedSite,
  call: Call,
  userId: string,
): Promise<ApiAnswer> {
  const path = '/_matrix/client/unstable/io.element.msc4512/appservice/fed_proxy'
  const response = await fetch(`${asking.synapse.plainUrl}${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${asking.registration.asToken}` },
    body: JSON.stringify({
      destination: call.sfu.serverName,
      method: 'POST',
      path: `/_matrix/federation/${rtcPath}/get_token`,
      body: { ...callBody(call), user_id: userId },
    }),
  })
  if (!response.ok) throw new Error(`fed_proxy answered ${response.status}`)
  const answer = (await response.json()) as { status: number; content: ApiAnswer['body'] }
  return { status: answer.status, body: answer.content }
}

/** What LiveKit calls a user of a call. */
export function participantOf({ userId }: MatrixClient, { roomId }: Call): Participant {
  return { room: hash([roomId, slotId]), identity: hash([userId, memberId]) }
}

function hash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64').replace(/=+$/, '')
}
