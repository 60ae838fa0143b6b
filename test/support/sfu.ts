import { CreateRoomRequest, DeleteRoomRequest, type Room } from '@livekit/protocol'
import { type Answer, reply } from './misbehaviour.ts'
import { createScript, type Script } from './script.ts'
import { type CallGrants, GrantError, requireGrant, verifyCall } from './sfu-grants.ts'
import { NotFoundError, type RoomServiceMessage, type RoomState, readCall } from './sfu-rooms.ts'
import { sendWebhook, type WebhookFields } from './sfu-webhook.ts'
import {
  type ListenOptions,
  startWireServer,
  type WireRequest,
  type WireServer,
} from './wire-server.ts'

/** The key pair that the SFU knows, and the path that it lives under. */
export interface SfuOptions extends ListenOptions {
  readonly apiKey: string
  readonly apiSecret: string
  /** Such as `/livekit/sfu`; nothing unless given. */
  readonly pathPrefix?: string
  /** The time by which tokens expire, in milliseconds since the epoch; the real one unless given. */
  readonly now?: () => number
  /** Whether clients reach the signalling socket; they do unless given. */
  readonly hasSignalling?: boolean
  /** Whether anybody gets into rooms that nobody has created; not unless given. */
  readonly autoCreate?: boolean
  /** Where webhooks about rooms go; nowhere unless given. */
  readonly webhookUrls?: readonly string[]
}

/** One call of the room service that could be read. */
export interface RoomServiceRequest {
  readonly method: string
  readonly message: RoomServiceMessage
  /** What the bearer token says, when it is a valid one. */
  readonly grants: CallGrants | undefined
  /** Milliseconds since the epoch. */
  readonly at: number
}

/**
 * A LiveKit SFU, as far as its room service goes. Misbehaviour is set per method name
 * ({@link Script}); {@link twirpError} makes an error answer.
 */
export interface Sfu extends Omit<WireServer, 'requests'>, Omit<Script, 'answerFor'> {
  /** `ws://` or `wss://` with the path prefix, for `LIVEKIT_URL`. */
  readonly wsUrl: string
  /** Every call so far, in order, misbehaved on or not. */
  readonly requests: RoomServiceRequest[]
  /** Every HTTP request so far, calls of no known method included. */
  readonly httpRequests: WireRequest[]
  readonly rooms: ReadonlyMap<string, Room>
  /** Somebody connects: the participant is found from now on, by `PA_1` unless given. */
  addParticipant(room: string, identity: string, sid?: string): void
  /** Somebody disconnects. */
  removeParticipant(room: string, identity: string): void
  /** Delivers a webhook signed with the SFU's key. */
  sendWebhook(url: string, event: WebhookFields): Promise<Response>
  [Symbol.asyncDispose](): Promise<void>
}

/** A Twirp error, such as `twirpError(503, 'unavailable', 'try later')`. */
export function twirpError(status: number, code: string, msg: string): Answer {
  return reply(status, { code, msg })
}

function toTwirpError(error: unknown): Answer {
  if (error instanceof NotFoundError) return twirpError(404, error.code, error.message)
  if (error instanceof GrantError) return twirpError(401, error.code, error.message)
  throw error
}

/** Starts an SFU without rooms. */
export async function startSfu(options: SfuOptions): Promise<Sfu> {
  const { apiKey, apiSecret, pathPrefix = '', now = Date.now } = options
  const { autoCreate = false, hasSignalling = true, webhookUrls = [] } = options
  const script = createScript()
  const requests: RoomServiceRequest[] = []
  const state: RoomState = { rooms: new Map(), participants: new Map() }
  const servicePath = `${pathPrefix}/twirp/livekit.RoomService/`

  /** What LiveKit tells everybody, and what it tells a client that wants to join. */
  async function answerOthers({ path, query }: WireRequest): Promise<Answer | undefined> {
    const date = { date: new Date(now()).toUTCString() }
    if (path === `${pathPrefix}/`)
      return reply(200, 'OK', { ...date, 'content-type': 'text/plain' })
    if (path !== `${pathPrefix}/rtc`) return undefined
    if (!hasSignalling) return reply(404, '<h1>Not found</h1>', { 'content-type': 'text/html' })
    const token = `Bearer ${query.get('access_token')}`
    const grants = await verifyCall(token, apiKey, apiSecret, new Date(now()))
    const room = grants?.video.room
    if (room === undefined || grants?.video.roomJoin !== true) return reply(401, 'no permission')
    if (!autoCreate && !state.rooms.has(room)) return reply(404, 'requested room does not exist')
    return reply(101, undefined, { connection: 'Upgrade', upgrade: 'websocket' })
  }

  /** As LiveKit does, not before the answer, and whether or not it is taken. */
  function announce(event: string, room: string): void {
    for (const url of webhookUrls) {
      sendWebhook(url, { event, room: { name: room } }, { apiKey, apiSecret }).catch(() => {})
    }
  }

  async function answer(request: WireRequest): Promise<Answer> {
    const other = await answerOthers(request)
    if (other !== undefined) return other
    const method = request.path.slice(servicePath.length)
    const isCall = request.method === 'POST' && request.path.startsWith(servicePath)
    if (!isCall || request.headers.get('content-type') !== 'application/protobuf') {
      return twirpError(404, 'bad_route', `no handler for ${request.method} ${request.path}`)
    }
    const call = readCall(state, method, request.body)
    if (call === undefined) return twirpError(404, 'bad_route', `no method ${method}`)

    const authorization = request.headers.get('authorization')
    const grants = await verifyCall(authorization, apiKey, apiSecret, new Date(now()))
    requests.push({ method, message: call.message, grants, at: request.at })
    const scripted = script.answerFor(method, request)
    if (scripted !== undefined) return scripted
    try {
      requireGrant(grants, call.grant)
      const answered = call.run().toBinary()
      if (call.message instanceof CreateRoomRequest) announce('room_started', call.message.name)
      if (call.message instanceof DeleteRoomRequest) announce('room_finished', call.message.room)
      return reply(200, answered, { 'content-type': 'application/protobuf' })
    } catch (error) {
      return toTwirpError(error)
    }
  }

  const server = await startWireServer(options, answer)
  return {
    ...server,
    respond: script.respond,
    restore: script.restore,
    wsUrl: `${server.url.replace(/^http/, 'ws')}${pathPrefix}`,
    requests,
    httpRequests: server.requests,
    rooms: state.rooms,
    addParticipant(room, identity, sid = 'PA_1') {
      const participants = state.participants.get(room) ?? new Map<string, string>()
      state.participants.set(room, participants.set(identity, sid))
    },
    removeParticipant: (room, identity) => void state.participants.get(room)?.delete(identity),
    sendWebhook: (url, event) => sendWebhook(url, event, { apiKey, apiSecret }),
    [Symbol.asyncDispose]: server.close,
  }
}
