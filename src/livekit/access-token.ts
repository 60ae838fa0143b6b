import { CompactSign } from 'jose'

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
  participantToken(participation: Participation, ttlSeconds: number): Promise<string>
  /** A token for calling the SFU's API, valid for `ttlSeconds` from now. */
  apiToken(grant: VideoGrant, ttlSeconds: number): Promise<string>
}

/**
 * Creates a signer, with the secret imported once.
 *
 * @param now - the current time in milliseconds since the epoch
 */
export async function createTokenSigner(
  { apiKey, apiSecret }: LiveKitCredentials,
  now: () => number,
): Promise<TokenSigner> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const encoder = new TextEncoder()
  const secret = encoder.encode(apiSecret)
  const key = await crypto.subtle.importKey('raw', secret, algorithm, false, ['sign'])

  function sign(claims: Record<string, unknown>, ttlSeconds: number): Promise<string> {
    const nowSeconds = Math.floor(now() / 1000)
    const payload = { iss: apiKey, ...claims, nbf: nowSeconds, exp: nowSeconds + ttlSeconds }
    // Not `SignJWT`: its handling of claims costs a third of the signing time, and these are complete.
    return new CompactSign(encoder.encode(JSON.stringify(payload)))
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(key)
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
