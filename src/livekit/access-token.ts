/**
 * What a LiveKit token permits; the names are those of the `video` claim.
 *
 * @see https://docs.livekit.io/home/get-started/authentication/#video-grant
 */
export interface VideoGrant {
  readonly room?: string
  readonly roomJoin?: boolean
  readonly roomCreate?: boolean
  readonly roomAdmin?: boolean
  readonly roomList?: boolean
  readonly canPublish?: boolean
  readonly canSubscribe?: boolean
  readonly canUpdateOwnMetadata?: boolean
}

/** What one participant may do in one LiveKit room. */
export interface Participation {
  /** Name of the LiveKit room. */
  readonly room: string
  readonly identity: string
  readonly canPublish: boolean
  readonly canUpdateOwnMetadata: boolean
}

/** The key pair that the service shares with the SFU. */
export interface LiveKitCredentials {
  readonly apiKey: string
  readonly apiSecret: string
}

/** Signs JWTs for the SFU. */
export interface TokenSigner {
  /** A token for a participant, valid for `ttlSeconds` from now. */
  participantToken(participation: Participation, ttlSeconds: number): string
  /** A token for calling the SFU's API, valid for `ttlSeconds` from now. */
  apiToken(grant: VideoGrant, ttlSeconds: number): string
}

const HEADER = base64url('{"alg":"HS256","typ":"JWT"}')

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}

/**
 * Creates {@link TokenSigner}.
 *
 * Tokens are signed here, and not by the library that verifies them: it hands each one to another
 * thread, and the way there and back took a quarter of the processor time of a whole exchange.
 *
 * @param now - the current time in milliseconds since the epoch
 * @see https://www.rfc-editor.org/rfc/rfc7515#section-3.1
 */
export function createTokenSigner(
  { apiKey, apiSecret }: LiveKitCredentials,
  now: () => number,
): TokenSigner {
  // Copied for each token: preparing the key takes longer than signing.
  const keyed = new Bun.CryptoHasher('sha256', apiSecret)

  function sign(claims: Record<string, unknown>, ttlSeconds: number): string {
    const nowSeconds = Math.floor(now() / 1000)
    const payload = { iss: apiKey, ...claims, nbf: nowSeconds, exp: nowSeconds + ttlSeconds }
    const signed = `${HEADER}.${base64url(JSON.stringify(payload))}`
    return `${signed}.${keyed.copy().update(signed).digest('base64url')}`
  }

  return {
    participantToken({ room, identity, canPublish, canUpdateOwnMetadata }, ttlSeconds) {
      const video: VideoGrant = {
        room,
        roomJoin: true,
        // Never granted: it would also let the holder delete rooms.
        roomCreate: false,
        canPublish,
        canSubscribe: true,
        canUpdateOwnMetadata,
      }
      return sign({ sub: identity, video }, ttlSeconds)
    },
    apiToken(grant, ttlSeconds) {
      return sign({ video: grant }, ttlSeconds)
    },
  }
}
