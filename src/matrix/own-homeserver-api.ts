import { memberOf, parseJson } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import type { Trouble } from '../trouble.ts'
import type { ClientApiCode } from './client-api-location.ts'
import { answerText, matrixErrorCode } from './exchange-trouble.ts'

/** Why our homeserver was of no help. */
export type HomeserverCode =
  | 'homeserver.as-token-refused'
  | 'homeserver.unsupported'
  | 'homeserver.refused'
  | 'homeserver.unavailable'
  | 'homeserver.bad-answer'

/** The homeserver that this service is an application service of could not be asked, or did not say. */
export class HomeserverFailed extends Error {
  readonly code = 'homeserver-failed'
  readonly trouble: Trouble<HomeserverCode | ClientApiCode>

  constructor(trouble: Trouble<HomeserverCode | ClientApiCode>) {
    super(trouble.found)
    this.name = 'HomeserverFailed'
    this.trouble = trouble
  }
}

/** Who may be joined to a room: one user, or any user of a server. */
export type Subject = { readonly userId: string } | { readonly serverName: string }

/** What the homeserver says about the members of a room. */
export type JoinedMembers =
  | { readonly kind: 'members'; readonly userIds: ReadonlySet<string> }
  /** None of the service's users is in the room, or its namespace is wrong. */
  | { readonly kind: 'forbidden' }
  /** There are too many to be listed. */
  | { readonly kind: 'too-many' }

/** What the other homeserver answered. */
export interface RelayedAnswer {
  readonly status: number
  /** JSON; `null` if there was none. */
  readonly content: unknown
}

const MEMBERSHIP = {
  stable: '/_matrix/client/v3',
  unstable: '/_matrix/client/unstable/io.element.msc4502',
} as const

/** Path of the endpoint that passes a request on to another homeserver (MSC4512). */
export function relayPath(isStable: boolean): string {
  const prefix = isStable ? '/_matrix/client/v1' : '/_matrix/client/unstable/io.element.msc4512'
  return `${prefix}/appservice/fed_proxy`
}

/** Path of the question whether a user or server is joined to a room (MSC4502). */
export function isJoinedPath(roomId: string, subject: Subject, isStable: boolean): string {
  const base = isStable ? MEMBERSHIP.stable : MEMBERSHIP.unstable
  const path = `${base}/rooms/${encodeURIComponent(roomId)}/is_joined`
  if ('serverName' in subject)
    return `${path}?server_name=${encodeURIComponent(subject.serverName)}`
  // On the unstable path `user_id` would mean who asks.
  return `${path}?${isStable ? 'user_id' : 'mxid'}=${encodeURIComponent(subject.userId)}`
}

function codeFor(answer: Answer): HomeserverCode {
  const { status } = answer
  const errcode = matrixErrorCode(answer)
  if (status === 401) return 'homeserver.as-token-refused'
  if (status === 404 && errcode === 'M_UNRECOGNIZED') return 'homeserver.unsupported'
  if (status === 429 || status >= 500) return 'homeserver.unavailable'
  return errcode === undefined ? 'homeserver.bad-answer' : 'homeserver.refused'
}

/** The error for an answer that is none to the question. */
export function homeserverFailure(answer: Answer, endpoint: string): HomeserverFailed {
  return new HomeserverFailed({ code: codeFor(answer), found: answerText(answer, endpoint) })
}

function badAnswer(endpoint: string, lack: string): HomeserverFailed {
  const found = `${endpoint}: the answer has no ${lack}`
  return new HomeserverFailed({ code: 'homeserver.bad-answer', found })
}

/**
 * Interprets the answer to that question.
 *
 * @throws {HomeserverFailed}
 */
export function readJoined(answer: Answer): boolean {
  const { status, body } = answer
  if (status !== 200) throw homeserverFailure(answer, 'is_joined')
  const joined = memberOf(parseJson(body), 'joined')
  if (typeof joined === 'boolean') return joined
  throw badAnswer('is_joined', 'boolean "joined"')
}

/**
 * Interprets the answer to the question for the joined members.
 *
 * @throws {HomeserverFailed}
 */
export function readMembers(answer: Answer): JoinedMembers {
  const { status, body } = answer
  if (status === 403) return { kind: 'forbidden' }
  if (status !== 200) throw homeserverFailure(answer, 'joined_members')
  const joined = memberOf(parseJson(body), 'joined')
  if (typeof joined !== 'object' || joined === null || Array.isArray(joined)) {
    throw badAnswer('joined_members', 'object "joined"')
  }
  return { kind: 'members', userIds: new Set(Object.keys(joined)) }
}

/**
 * Interprets the answer to a request that the homeserver was to pass on.
 *
 * @throws {HomeserverFailed}
 */
export function readRelayed(answer: Answer): RelayedAnswer {
  const { status, body } = answer
  if (status !== 200) throw homeserverFailure(answer, 'fed_proxy')
  const json = parseJson(body)
  const relayed = memberOf(json, 'status')
  if (typeof relayed !== 'number') throw badAnswer('fed_proxy', '"status"')
  return { status: relayed, content: memberOf(json, 'content') ?? null }
}
