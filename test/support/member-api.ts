import { type Answer, reply } from './misbehaviour.ts'
import type { WireRequest } from './wire-server.ts'

/** A delayed event that a user has scheduled. */
export interface ScheduledEvent {
  readonly userId: string
  readonly roomId: string
  readonly delayMs: number
}

/** What a homeserver knows, and lets its application service ask. */
export interface MemberApi {
  /** Joined users by Matrix room, local and remote. */
  readonly members: Map<string, Set<string>>
  readonly scheduled: Map<string, ScheduledEvent>
  /** Server name of the homeserver. */
  readonly serverName: string
  readonly asToken: string
  /** Every request with the token so far, as `method path?query`. */
  readonly asked: string[]
  /** What another homeserver answers to what is passed on to it; 404 unless given. */
  relayed: (request: unknown) => unknown
  join(roomId: string, ...userIds: readonly string[]): void
  leave(roomId: string, userId: string): void
  /** Answers a request of the application service; nothing if it is none. */
  answer(request: WireRequest, isStable: boolean): Answer | undefined
}

const FORBIDDEN = reply(403, { errcode: 'M_FORBIDDEN', error: 'Not in the room' })
const UNKNOWN_TOKEN = reply(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'Unknown token' })
const NOT_FOUND = reply(404, { errcode: 'M_NOT_FOUND', error: 'Not found' })

const IS_JOINED =
  /^\/_matrix\/client\/(v3|unstable\/io\.element\.msc4502)\/rooms\/([^/]+)\/is_joined$/
const JOINED_MEMBERS = /^\/_matrix\/client\/v3\/rooms\/([^/]+)\/joined_members$/
const RELAY = /^\/_matrix\/client\/(v1|unstable\/io\.element\.msc4512)\/appservice\/fed_proxy$/
const DELAYED_EVENT =
  /^\/_matrix\/client\/(v1|unstable\/org\.matrix\.msc4140)\/delayed_events\/([^/]+)$/

function serverOf(userId: string): string {
  return userId.slice(userId.indexOf(':') + 1)
}

/** Creates the API of a homeserver with one application service. */
export function createMemberApi(serverName: string, asToken: string): MemberApi {
  const members = new Map<string, Set<string>>()
  const scheduled = new Map<string, ScheduledEvent>()
  const asked: string[] = []

  function membersOf(encodedRoom: string | undefined): ReadonlySet<string> {
    return members.get(decodeURIComponent(encodedRoom ?? '')) ?? new Set()
  }

  function isJoined(room: string | undefined, query: URLSearchParams, isStable: boolean): Answer {
    const user = query.get(isStable ? 'user_id' : 'mxid')
    const server = query.get('server_name')
    const all = [...membersOf(room)]
    const joined = all.some((userId) => userId === user || serverOf(userId) === server)
    return reply(200, { joined })
  }

  function joinedMembers(room: string | undefined): Answer {
    const all = [...membersOf(room)]
    if (!all.some((userId) => serverOf(userId) === serverName)) return FORBIDDEN
    return reply(200, { joined: Object.fromEntries(all.map((userId) => [userId, {}])) })
  }

  function delayedEvent(id: string | undefined, userId: string | null): Answer {
    const event = scheduled.get(decodeURIComponent(id ?? ''))
    if (event === undefined || event.userId !== userId) return NOT_FOUND
    return reply(200, { delay_ms: event.delayMs, room_id: event.roomId })
  }

  const api: MemberApi = {
    members,
    scheduled,
    serverName,
    asToken,
    asked,
    relayed: () => ({ status: 404, content: { errcode: 'M_UNRECOGNIZED' } }),
    join(roomId, ...userIds) {
      const joined = members.get(roomId) ?? new Set()
      for (const userId of userIds) joined.add(userId)
      members.set(roomId, joined)
    },
    leave: (roomId, userId) => void members.get(roomId)?.delete(userId),
    answer({ method, path, query, headers, body }, isStable) {
      const [, prefix, joinedRoom] = IS_JOINED.exec(path) ?? []
      const [, listedRoom] = JOINED_MEMBERS.exec(path) ?? []
      const [relay] = RELAY.exec(path) ?? []
      const [, , delayId] = DELAYED_EVENT.exec(path) ?? []
      const isOurs = [joinedRoom, listedRoom, relay, delayId].some((part) => part !== undefined)
      if (!isOurs) return undefined
      asked.push(`${method} ${path}${query.size === 0 ? '' : `?${query}`}`)
      if (headers.get('authorization') !== `Bearer ${asToken}`) return UNKNOWN_TOKEN
      if (joinedRoom !== undefined) {
        if ((prefix === 'v3') !== isStable) return undefined
        return isJoined(joinedRoom, query, isStable)
      }
      if (listedRoom !== undefined) return joinedMembers(listedRoom)
      if (delayId !== undefined) return delayedEvent(delayId, query.get('user_id'))
      return reply(200, api.relayed(JSON.parse(new TextDecoder().decode(body))))
    },
  }
  return api
}
