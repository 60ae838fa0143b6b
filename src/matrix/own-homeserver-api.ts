import { memberOf, parseJson } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'

/** The homeserver that this service is an application service of could not be asked, or did not say. */
export class HomeserverFailed extends Error {
  readonly code = 'homeserver-failed'

  constructor(reason: string) {
    super(reason)
    this.name = 'HomeserverFailed'
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

/**
 * Interprets the answer to that question.
 *
 * @throws {HomeserverFailed}
 */
export function readJoined({ status, body }: Answer): boolean {
  if (status !== 200) throw new HomeserverFailed(`is_joined: status ${status}`)
  const joined = memberOf(parseJson(body), 'joined')
  if (typeof joined === 'boolean') return joined
  throw new HomeserverFailed('is_joined: the answer has no boolean "joined"')
}

/**
 * Interprets the answer to the question for the joined members.
 *
 * @throws {HomeserverFailed}
 */
export function readMembers({ status, body }: Answer): JoinedMembers {
  if (status === 403) return { kind: 'forbidden' }
  if (status !== 200) throw new HomeserverFailed(`joined_members: status ${status}`)
  const joined = memberOf(parseJson(body), 'joined')
  if (typeof joined !== 'object' || joined === null || Array.isArray(joined)) {
    throw new HomeserverFailed('joined_members: the answer has no object "joined"')
  }
  return { kind: 'members', userIds: new Set(Object.keys(joined)) }
}

/**
 * Interprets the answer to a request that the homeserver was to pass on.
 *
 * @throws {HomeserverFailed}
 */
export function readRelayed({ status, body }: Answer): RelayedAnswer {
  if (status !== 200) throw new HomeserverFailed(`fed_proxy: status ${status}`)
  const json = parseJson(body)
  const relayed = memberOf(json, 'status')
  if (typeof relayed !== 'number')
    throw new HomeserverFailed('fed_proxy: the answer has no "status"')
  return { status: relayed, content: memberOf(json, 'content') ?? null }
}
