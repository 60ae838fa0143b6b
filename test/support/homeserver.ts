import type { MemberApi } from './member-api.ts'
import { type Answer, reply } from './misbehaviour.ts'
import { createScript, type Script } from './script.ts'
import {
  type ListenOptions,
  startWireServer,
  type WireRequest,
  type WireServer,
} from './wire-server.ts'

/** Where to listen, and the server name that users belong to. */
export interface HomeserverOptions extends ListenOptions {
  /** Taken from the address when not given, such as `127.0.0.1:34567`. */
  readonly serverName?: string
  /** What its application service may ask. */
  readonly memberApi?: MemberApi
}

/** One restart or send of a delayed event that arrived. */
export interface DelayedEventCall {
  readonly delayId: string
  readonly action: 'restart' | 'send'
  readonly prefix: 'stable' | 'unstable'
  /** `Authorization` and `user_id`, where the request has them. */
  readonly authorization: string | null
  readonly userId: string | null
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** A Matrix homeserver that can be told to misbehave, per path ({@link Script}). */
export interface Homeserver extends WireServer, Omit<Script, 'answerFor'> {
  readonly serverName: string
  /**
   * Makes an OpenID token of a user (of any server: a hostile homeserver vouches for others).
   *
   * @param token - a random one unless given
   */
  issueOpenIdToken(userId: string, token?: string): string
  /** The token stops being known. */
  revokeOpenIdToken(token: string): void
  /** Publishes `/.well-known/matrix/server`; it is a 404 until then. */
  setWellKnownServer(delegatedName: string, headers?: Readonly<Record<string, string>>): void
  /** Publishes `/.well-known/matrix/client`; it is a 404 until then. */
  setWellKnownClient(baseUrl: string, headers?: Readonly<Record<string, string>>): void
  /** The `unstable_features` of `/versions`; `{ 'org.matrix.msc4140': true }` at first. */
  setUnstableFeatures(features: Readonly<Record<string, boolean>>): void
  /** A delayed event comes to exist, and can be restarted or sent. */
  scheduleDelayedEvent(delayId: string): void
  /** Every restart and send so far, known event or not, misbehaved on or not. */
  readonly delayedEventCalls: DelayedEventCall[]
  [Symbol.asyncDispose](): Promise<void>
}

const userinfoPath = '/_matrix/federation/v1/openid/userinfo'
const wellKnownServerPath = '/.well-known/matrix/server'
const wellKnownClientPath = '/.well-known/matrix/client'
const versionsPath = '/_matrix/client/versions'
const delayedEventPath =
  /^\/_matrix\/client\/(v1|unstable\/org\.matrix\.msc4140)\/delayed_events\/([^/]+)\/(restart|send)$/

const unrecognized = reply(404, { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' })

function parseDelayedEventCall(request: WireRequest): DelayedEventCall | undefined {
  const match = delayedEventPath.exec(request.path)
  if (match === null || request.method !== 'POST') return undefined
  return {
    delayId: decodeURIComponent(match[2] ?? ''),
    action: match[3] === 'send' ? 'send' : 'restart',
    prefix: match[1] === 'v1' ? 'stable' : 'unstable',
    authorization: request.headers.get('authorization'),
    userId: request.query.get('user_id'),
    at: request.at,
  }
}

/** Starts a homeserver; with a certificate it speaks TLS, else plain HTTP. */
export async function startHomeserver(options: HomeserverOptions = {}): Promise<Homeserver> {
  const script = createScript()
  const usersByToken = new Map<string, string>()
  const published = new Map<string, Answer>()
  const delayedEvents = new Set<string>()
  const delayedEventCalls: DelayedEventCall[] = []
  let unstableFeatures: Readonly<Record<string, boolean>> = { 'org.matrix.msc4140': true }

  function answerUserinfo(request: WireRequest): Answer {
    const sub = usersByToken.get(request.query.get('access_token') ?? '')
    if (sub !== undefined) return reply(200, { sub })
    return reply(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'Access token unknown or expired' })
  }

  function answerDelayedEvent(call: DelayedEventCall): Answer {
    const supports =
      unstableFeatures[
        call.prefix === 'stable' ? 'org.matrix.msc4140.stable' : 'org.matrix.msc4140'
      ]
    if (supports !== true) return unrecognized
    const known =
      call.action === 'send' ? delayedEvents.delete(call.delayId) : delayedEvents.has(call.delayId)
    return known ? reply(200, {}) : reply(404, { errcode: 'M_NOT_FOUND', error: 'Not found' })
  }

  function answer(request: WireRequest): Answer | Promise<Answer> {
    const call = parseDelayedEventCall(request)
    if (call !== undefined) delayedEventCalls.push(call)
    const scripted = script.answerFor(request.path, request)
    if (scripted !== undefined) return scripted
    if (call !== undefined) return answerDelayedEvent(call)
    const isStable = unstableFeatures['io.element.msc4502.stable'] === true
    const ofMembers = options.memberApi?.answer(request, isStable)
    if (ofMembers !== undefined) return ofMembers
    if (request.method !== 'GET') return unrecognized
    if (request.path === userinfoPath) return answerUserinfo(request)
    if (request.path === versionsPath) {
      return reply(200, { versions: ['v1.11'], unstable_features: unstableFeatures })
    }
    return published.get(request.path) ?? unrecognized
  }

  const server = await startWireServer(options, answer)
  return {
    ...server,
    respond: script.respond,
    restore: script.restore,
    serverName: options.serverName ?? server.address,
    delayedEventCalls,
    issueOpenIdToken(userId, token = crypto.randomUUID()) {
      usersByToken.set(token, userId)
      return token
    },
    revokeOpenIdToken: (token) => void usersByToken.delete(token),
    setWellKnownServer(delegatedName, headers) {
      published.set(wellKnownServerPath, reply(200, { 'm.server': delegatedName }, headers))
    },
    setWellKnownClient(baseUrl, headers) {
      const body = { 'm.homeserver': { base_url: baseUrl } }
      published.set(wellKnownClientPath, reply(200, body, headers))
    },
    setUnstableFeatures(features) {
      unstableFeatures = features
    },
    scheduleDelayedEvent: (delayId) => void delayedEvents.add(delayId),
    [Symbol.asyncDispose]: server.close,
  }
}
