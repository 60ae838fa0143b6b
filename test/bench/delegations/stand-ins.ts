import { ParticipantInfo, RoomParticipantIdentity } from '@livekit/protocol'
import { serveOrders } from '../child.ts'
import { sharedNow } from './clock.ts'
import { indexIn, PARTICIPANT_ID, SERVER_NAME } from './participants.ts'

/**
 * `reset` forgets what was seen so far; `times` tells every restart and send; a number is how long the
 * homeserver takes to answer from now on, in milliseconds.
 */
export type StandInsOrder = 'reset' | 'counts' | 'times' | number

/** Number of a participant, and when it happened by the shared clock. */
export type Seen = readonly [index: number, at: number]

/** What the stand-ins have seen since the last `reset`. */
export interface StandInsReport {
  /** Ports on loopback, without TLS. */
  readonly ports: { readonly homeserver: number; readonly sfu: number }
  readonly presenceChecks: number
  readonly restartCount: number
  readonly sendCount: number
  /** When the first of them came, by the shared clock; absent when none has. */
  readonly firstActionAt?: number
  readonly restarts: readonly Seen[]
  readonly sends: readonly Seen[]
}

const json = { headers: { 'content-type': 'application/json' } }
const protobuf = { headers: { 'content-type': 'application/protobuf' } }
const versions = '{"versions":["v1.17"],"unstable_features":{"org.matrix.msc4140.stable":true}}'

let answerMs = 0
let presenceChecks = 0
let restarts: Seen[] = []
let sends: Seen[] = []
let firstActionAt: number | undefined

function noteAction(): number {
  const at = sharedNow()
  firstActionAt ??= at
  return at
}

/** Every token of the form `LOCALPART.anything` is good, for the user of that name. */
function answerUserinfo(url: string): Response {
  const token = url.slice(url.indexOf('access_token=') + 13)
  return new Response(`{"sub":"@${token.slice(0, token.indexOf('.'))}:${SERVER_NAME}"}`, json)
}

const homeserver = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch({ url }): Promise<Response> {
    if (url.includes('/openid/userinfo')) return answerUserinfo(url)
    if (url.endsWith('/versions')) return new Response(versions, json)
    const at = noteAction()
    const seen = url.endsWith('/send') ? sends : restarts
    seen.push([indexIn(url), at])
    if (answerMs > 0) await Bun.sleep(answerMs)
    return new Response('{}', json)
  },
})

/** Everybody is on the SFU. */
const sfu = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  async fetch(request): Promise<Response> {
    noteAction()
    presenceChecks += 1
    const asked = RoomParticipantIdentity.fromBinary(new Uint8Array(await request.arrayBuffer()))
    const participant = new ParticipantInfo({ sid: PARTICIPANT_ID, identity: asked.identity })
    return new Response(participant.toBinary(), protobuf)
  },
})

function forget(): void {
  presenceChecks = 0
  restarts = []
  sends = []
  firstActionAt = undefined
}

serveOrders<StandInsOrder, StandInsReport>(async (order) => {
  if (order === 'reset') forget()
  if (typeof order === 'number') answerMs = order
  return {
    ports: { homeserver: homeserver.port ?? 0, sfu: sfu.port ?? 0 },
    presenceChecks,
    restartCount: restarts.length,
    sendCount: sends.length,
    ...(firstActionAt === undefined ? {} : { firstActionAt }),
    restarts: order === 'times' ? restarts : [],
    sends: order === 'times' ? sends : [],
  }
})
