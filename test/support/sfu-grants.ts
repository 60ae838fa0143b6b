import { errors, jwtVerify } from 'jose'

/** As LiveKit has it. */
const CLOCK_TOLERANCE_SECONDS = 60

/** The `video` claim of a LiveKit token, as far as the room service looks at it. */
export interface VideoGrants {
  readonly roomCreate?: boolean
  readonly roomList?: boolean
  readonly roomAdmin?: boolean
  readonly roomJoin?: boolean
  readonly room?: string
}

/** What the bearer token of a call says. */
export interface CallGrants {
  readonly video: VideoGrants
  /** Seconds from `nbf` to `exp`. */
  readonly lifetimeSeconds: number
}

/** A call that the room service refuses. */
export class GrantError extends Error {
  readonly code = 'unauthenticated'
}

/** Verifies the `Authorization` header of a call; nothing without a valid token of this key. */
export async function verifyCall(
  authorization: string | null,
  apiKey: string,
  apiSecret: string,
  currentDate: Date,
): Promise<CallGrants | undefined> {
  const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
  if (token === undefined) return undefined
  try {
    const { payload } = await jwtVerify<{ video?: VideoGrants }>(
      token,
      new TextEncoder().encode(apiSecret),
      {
        issuer: apiKey,
        algorithms: ['HS256'],
        requiredClaims: ['exp', 'nbf'],
        currentDate,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
      },
    )
    const from = payload.nbf ?? 0
    return { video: payload.video ?? {}, lifetimeSeconds: (payload.exp ?? 0) - from }
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}

/**
 * Refuses a call whose token is not valid or lacks the grant that it needs.
 *
 * @throws {GrantError}
 */
export function requireGrant(grants: CallGrants | undefined, grant: RequiredGrant): void {
  if (grants === undefined) throw new GrantError('invalid token')
  const { video } = grants
  if (grant.kind === 'roomCreate' && video.roomCreate === true) return
  if (grant.kind === 'roomList' && video.roomList === true) return
  if (grant.kind === 'roomAdmin' && video.roomAdmin === true && video.room === grant.room) return
  throw new GrantError('permissions denied')
}

/** The grant that a method needs. */
export type RequiredGrant =
  | { readonly kind: 'roomCreate' }
  | { readonly kind: 'roomList' }
  | { readonly kind: 'roomAdmin'; readonly room: string }
