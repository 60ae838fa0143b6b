import { createHash, timingSafeEqual } from 'node:crypto'
import { errors, jwtVerify } from 'jose'
import { isWellFormedJson, memberOf, parseJson, textMember } from '../lib/json.ts'
import type { LiveKitCredentials } from './access-token.ts'

/** An event that the SFU reports. */
export interface Webhook {
  /** Such as `participant_left`. */
  readonly event: string
  /** Name of the LiveKit room, where the event is about one. */
  readonly room: string | undefined
  readonly identity: string | undefined
  /** The SFU's ID of the participant's connection. */
  readonly participantId: string | undefined
  /** When the connection began at the latest, in milliseconds since the epoch, where it is told. */
  readonly connectedBy?: number | undefined
  /** Name of an enum value such as `CLIENT_INITIATED`; `undefined` for an unknown one. */
  readonly disconnectReason: string | undefined
  /** Seconds since the epoch. */
  readonly createdAt: number | undefined
}

/** A webhook is not from the SFU; the message says why not, for the operator. */
export class ForgedWebhook extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'ForgedWebhook'
  }
}

/** Verifies that webhooks come from the SFU. */
export interface WebhookVerifier {
  /**
   * Verifies the `Authorization` header, before the body is read at all.
   *
   * @returns the SHA-256 that the body must have, in padded standard base64
   * @throws {ForgedWebhook}
   */
  verifyToken(authorization: string | null): Promise<string>
}

function whyRefused(error: unknown): string {
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return 'the signature is not by LIVEKIT_SECRET'
  }
  if (error instanceof errors.JWTExpired) return 'the token has expired: do the clocks agree?'
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'the token is malformed'
  return error.claim === 'iss'
    ? 'the token is by another key than LIVEKIT_KEY'
    : `"${error.claim}" of the token is missing or wrong`
}

/** Clocks of the service and of the SFU may differ by so much. */
const CLOCK_TOLERANCE_SECONDS = 60

/**
 * Makes a verifier for the key pair that the service shares with the SFU.
 *
 * @param now - the current time in milliseconds since the epoch
 * @see https://docs.livekit.io/home/server/webhooks/
 */
export function createWebhookVerifier(
  { apiKey, apiSecret }: LiveKitCredentials,
  now: () => number,
): WebhookVerifier {
  const secret = new TextEncoder().encode(apiSecret)
  return {
    async verifyToken(authorization) {
      const token = (authorization ?? '').replace(/^Bearer /i, '')
      const options = {
        algorithms: ['HS256'],
        issuer: apiKey,
        requiredClaims: ['exp', 'sha256'],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: new Date(now()),
      }
      if (token === '') throw new ForgedWebhook('there is no token in Authorization')
      const verified = await jwtVerify(token, secret, options).catch((error: unknown) => {
        throw new ForgedWebhook(whyRefused(error))
      })
      const digest = verified.payload.sha256
      if (typeof digest !== 'string') throw new ForgedWebhook('"sha256" of the token is no text')
      return digest
    },
  }
}

function hasDigest(body: Uint8Array, digest: string): boolean {
  const actual = createHash('sha256').update(body).digest()
  const expected = Buffer.from(digest, 'base64')
  return actual.byteLength === expected.byteLength && timingSafeEqual(actual, expected)
}

/** Protobuf's JSON form writes 64-bit numbers as strings. */
function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : Number.NaN
  return Number.isFinite(number) && number > 0 ? number : undefined
}

/** Newer versions of the SFU tell milliseconds beside whole seconds. */
function connectedBy(participant: unknown): number | undefined {
  const seconds = numberOf(memberOf(participant, 'joinedAt'))
  const endOfSecond = seconds === undefined ? undefined : seconds * 1000 + 999
  return numberOf(memberOf(participant, 'joinedAtMs')) ?? endOfSecond
}

/**
 * Reads a webhook whose token was verified.
 *
 * @param digest - what the token says that the body's SHA-256 is
 * @returns `undefined` when the body says nothing that can be read
 * @throws {ForgedWebhook} when the body is not what the token was made for
 */
export function readWebhook(body: Uint8Array, digest: string): Webhook | undefined {
  if (!hasDigest(body, digest)) throw new ForgedWebhook('the body is not the signed one')
  const json = parseJson(new TextDecoder().decode(body))
  const event = textMember(json, 'event')
  if (event === undefined || !isWellFormedJson(json)) return undefined
  const participant = memberOf(json, 'participant')
  return {
    event,
    room: textMember(memberOf(json, 'room'), 'name'),
    identity: textMember(participant, 'identity'),
    participantId: textMember(participant, 'sid'),
    connectedBy: connectedBy(participant),
    disconnectReason: textMember(participant, 'disconnectReason'),
    createdAt: numberOf(memberOf(json, 'createdAt')),
  }
}
