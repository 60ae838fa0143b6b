import type { TokenSigner } from './access-token.ts'

/** Tokens for calls of the SFU's API, signed once for many calls. */
export interface ApiTokens {
  /** For creating and deleting rooms. */
  roomCreation(): string
  /** For all participants of a room. */
  roomAdmin(room: string): string
}

interface ApiToken {
  readonly jwt: string
  /** Milliseconds since the epoch. */
  readonly madeAt: number
}

const TTL_SECONDS = 600
const REUSE_MS = 300_000
const MAX_ROOMS = 2_000

/** After a step of the clock, back or forth, the SFU may take a token for one of another time. */
function isReusable(token: ApiToken | undefined, at: number): token is ApiToken {
  return token !== undefined && Math.abs(at - token.madeAt) <= REUSE_MS
}

/**
 * Creates {@link ApiTokens}.
 *
 * @param now - milliseconds since the epoch
 */
export function createApiTokens(signer: TokenSigner, now: () => number): ApiTokens {
  const byRoom = new Map<string, ApiToken>()
  let creation: ApiToken | undefined

  return {
    roomCreation() {
      const at = now()
      if (!isReusable(creation, at)) {
        creation = { jwt: signer.apiToken({ roomCreate: true }, TTL_SECONDS), madeAt: at }
      }
      return creation.jwt
    },

    roomAdmin(room) {
      const at = now()
      const known = byRoom.get(room)
      if (isReusable(known, at)) return known.jwt
      if (byRoom.size >= MAX_ROOMS) byRoom.clear()
      const jwt = signer.apiToken({ roomAdmin: true, room }, TTL_SECONDS)
      byRoom.set(room, { jwt, madeAt: at })
      return jwt
    },
  }
}
