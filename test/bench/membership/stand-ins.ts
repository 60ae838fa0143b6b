import { ParticipantInfo, RoomParticipantIdentity } from '@livekit/protocol'
import { serveOrders } from '../child.ts'
import { PARTICIPANT_ID } from '../delegations/participants.ts'
import { membersOf } from './tokens.ts'

/** Whether everybody is on the SFU from now on, or nobody; `counts` only asks. */
export type StandInsOrder = 'all connected' | 'none connected' | 'counts'

/** What the stand-ins have seen since the last change. */
export interface StandInsReport {
  /** Ports on loopback, without TLS. */
  readonly ports: { readonly homeserver: number; readonly sfu: number }
  readonly presenceChecks: number
  readonly listings: number
}

const json = { headers: { 'content-type': 'application/json' } }
const protobuf = { headers: { 'content-type': 'application/protobuf' } }
const absent = '{"code":"not_found","msg":"participant does not exist"}'

let areConnected = true
let presenceChecks = 0
let listings = 0

const homeserver = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch({ url }): Response {
    if (!url.endsWith('/joined_members')) return new Response('{}', { ...json, status: 404 })
    listings += 1
    const roomId = decodeURIComponent(url.split('/').at(-2) ?? '')
    return new Response(JSON.stringify({ joined: membersOf(roomId) }), json)
  },
})

const sfu = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request): Promise<Response> {
    presenceChecks += 1
    if (!areConnected) return new Response(absent, { ...json, status: 404 })
    const asked = RoomParticipantIdentity.fromBinary(new Uint8Array(await request.arrayBuffer()))
    const participant = new ParticipantInfo({ sid: PARTICIPANT_ID, identity: asked.identity })
    return new Response(participant.toBinary(), protobuf)
  },
})

serveOrders<StandInsOrder, StandInsReport>(async (order) => {
  if (order !== 'counts') {
    areConnected = order === 'all connected'
    presenceChecks = 0
    listings = 0
  }
  const ports = { homeserver: homeserver.port ?? 0, sfu: sfu.port ?? 0 }
  return { ports, presenceChecks, listings }
})
