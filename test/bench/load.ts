/** One stretch of load: so many exchanges, by so many connections, for a limited time. */
export interface LoadOrder {
  /** Port on 127.0.0.1 that answers `POST /get_token`. */
  readonly port: number
  /** Server name of the users. */
  readonly serverName: string
  /** Number of the first exchange; each has its own OpenID token. */
  readonly first: number
  /** The Matrix room of all exchanges; each has a room of its own unless given. */
  readonly room?: string
  readonly count: number
  readonly connections: number
  /** A proxy asks for so many clients, each at an address of its own; nobody does unless given. */
  readonly clients?: number
  readonly limitMs: number
}

/** What came of it. */
export interface LoadResult {
  /** Answers with status 200 that hold a token. */
  readonly tokens: number
  /** The first thing that went wrong, if anything did. */
  readonly error?: string
  /** From the first request to the last answer; opening the connections is not part of it. */
  readonly elapsedMs: number
  /** One per token, microseconds. */
  readonly latenciesUs: readonly number[]
}

const users = 5_000

/** The headers of one exchange. */
export function requestHeaders(index: number, clients?: number): Record<string, string> {
  if (clients === undefined) return {}
  const client = index % clients
  return { 'X-Forwarded-For': `198.18.${Math.floor(client / 250)}.${client % 250}` }
}

/** The request body of one exchange. */
export function requestBody(serverName: string, index: number, room = `room${index}`): string {
  const localpart = `user${index % users}`
  return JSON.stringify({
    room_id: `!${room}:${serverName}`,
    slot_id: 'm.call#ROOM',
    openid_token: {
      access_token: `${localpart}.${index}.0123456789abcdef`,
      token_type: 'Bearer',
      matrix_server_name: serverName,
      expires_in: 3600,
    },
    member: {
      id: `member${index % users}`,
      claimed_user_id: `@${localpart}:${serverName}`,
      claimed_device_id: 'BENCHDEVICE',
    },
  })
}
