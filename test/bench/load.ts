/** One stretch of load: so many exchanges, by so many connections, and no longer than that. */
export interface LoadOrder {
  /** Port on 127.0.0.1 that answers `POST /get_token`. */
  readonly port: number
  /** Server name of the users. */
  readonly serverName: string
  /** Number of the first exchange; each has its own OpenID token. */
  readonly first: number
  readonly count: number
  readonly connections: number
  readonly limitMs: number
}

/** What came of it. */
export interface LoadResult {
  /** Answers with status 200 that hold a token. */
  readonly tokens: number
  /** The first thing that went wrong, if anything did. */
  readonly error?: string
  readonly elapsedMs: number
  /** One per token, microseconds. */
  readonly latenciesUs: readonly number[]
}

const users = 5_000
const rooms = 1_000

/** The request body of one exchange. */
export function requestBody(serverName: string, index: number): string {
  const localpart = `user${index % users}`
  return JSON.stringify({
    room_id: `!room${index % rooms}:${serverName}`,
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
