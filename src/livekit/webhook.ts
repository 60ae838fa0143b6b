import { createHash, timingSafeEqual } from 'node:crypto'
import { DisconnectReason, type ParticipantInfo, WebhookEvent } from '@livekit/protocol'
import { errors, jwtVerify } from 'jose'
import { parseWellFormedJson } from '../lib/json.ts'
import type { Trouble } from '../trouble.ts'
import type { LiveKitCredentials } from './access-token.ts'

/** A webhook of the SFU. */
export interface Webhook {
  /** Such as `participant_left`. */
  readonly event: string
  /** Name of the LiveKit room, if the webhook is about one. */
  readonly room: string | undefined
  readonly identity: string | undefined
  /** The SFU's ID of the participant's connection. */
  readonly participantId: string | undefined
  /** Latest time at which the connection can have begun, in milliseconds since the epoch, if known. */
  readonly connectedBy?: number | undefined
  /** Name of an enum value such as `CLIENT_INITIATED`; `undefined` for an unknown one. */
  readonly disconnectReason: string | undefined
  /** Seconds since the epoch. */
  readonly createdAt: number | undefined
}

/** Why a webhook is not believed. */
export type WebhookCode =
  | 'webhook.unsigned'
  | 'webhook.wrong-secret'
  | 'webhook.wrong-key'
  | 'webhook.expired'
  | 'webhook.malformed'

/** A webhook that the SFU did not sign. */
export class ForgedWebhook extends Error {
  readonly code = 'forged-webhook'
  readonly trouble: Trouble<WebhookCode>

  constructor(code: WebhookCode, found: string) {
    super(found)
    this.name = 'ForgedWebhook'
    this.trouble = { code, found }
  }
}

/** Verifies that webhooks come from the SFU. */
export interface WebhookVerifier {
  /**
   * Verifies the `Authorization` header. To be called before the body is read.
   *
   * @returns the SHA-256 that the body must have, in padded standard base64
   * @throws {ForgedWebhook}
   */
  verifyToken(authorization: string | null): Promise<string>
}

function refusal(error: unknown): ForgedWebhook {
  if (error instanceof errors.JWSSignatureVerificationFailed) {
    return new ForgedWebhook('webhook.wrong-secret', 'the token is not signed with our secret')
  }
  if (error instanceof errors.JWTExpired) {
    return new ForgedWebhook('webhook.expired', 'the token has expired')
  }
  if (!(error instanceof errors.JWTClaimValidationFailed)) {
    return new ForgedWebhook('webhook.malformed', 'the token is malformed')
  }
  if (error.claim === 'iss') {
    return new ForgedWebhook('webhook.wrong-key', 'the token names another API key than ours')
  }
  const found = `"${error.claim}" of the token is missing or wrong`
  return new ForgedWebhook('webhook.malformed', found)
}

/** Tolerated clock skew between the service and the SFU. */
const CLOCK_TOLERANCE_SECONDS = 60

/**
 * Creates a verifier for the key pair that the service shares with the SFU.
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
      if (token === '') {
        throw new ForgedWebhook('webhook.unsigned', 'there is no token in Authorization')
      }
      const verified = await jwtVerify(token, secret, options).catch((error: unknown) => {
        throw refusal(error)
      })
      const digest = verified.payload.sha256
      if (typeof digest !== 'string')
        throw new ForgedWebhook('webhook.malformed', '"sha256" of the token is not a string')
      return digest
    },
  }
}

function hasDigest(body: Uint8Array, digest: string): boolean {
  const actual = createHash('sha256').update(body).digest()
  const expected = Buffer.from(digest, 'base64')
  return actual.byteLength === expected.byteLength && timingSafeEqual(actual, expected)
}

/** Protobuf encodes absent strings and numbers as empty or 0. */
function present<T>(value: T | undefined): T | undefined {
  return value === '' || value === 0 || value === 0n ? undefined : value
}

function toNumber(value: bigint | undefined): number | undefined {
  const known = present(value)
  return known === undefined ? undefined : Number(known)
}

/** Only newer SFUs report milliseconds. */
function connectedBy({ joinedAt, joinedAtMs }: ParticipantInfo): number | undefined {
  const seconds = toNumber(joinedAt)
  const endOfSecond = seconds === undefined ? undefined : seconds * 1000 + 999
  return toNumber(joinedAtMs) ?? endOfSecond
}

/** Ignores unknown fields, which newer SFUs may send. */
function parseEvent(body: Uint8Array): WebhookEvent | undefined {
  const json = parseWellFormedJson(new TextDecoder().decode(body))
  if (json === undefined) return undefined
  try {
    return WebhookEvent.fromJson(json as never, { ignoreUnknownFields: true })
  } catch {
    return undefined
  }
}

/**
 * Reads a webhook whose token was verified.
 *
 * @param digest - SHA-256 of the body, according to the token
 * @returns `undefined` when the body cannot be understood
 * @throws {ForgedWebhook} when the body does not match `digest`
 */
export function readWebhook(body: Uint8Array, digest: string): Webhook | undefined {
  if (!hasDigest(body, digest)) {
    throw new ForgedWebhook('webhook.malformed', 'the body is not the signed one')
  }
  const parsed = parseEvent(body)
  if (parsed === undefined || parsed.event === '') return undefined
  const { event, room, participant, createdAt } = parsed
  const reason = present(participant?.disconnectReason)
  return {
    event,
    room: present(room?.name),
    identity: present(participant?.identity),
    participantId: present(participant?.sid),
    connectedBy: participant === undefined ? undefined : connectedBy(participant),
    disconnectReason: reason === undefined ? undefined : DisconnectReason[reason],
    createdAt: toNumber(createdAt),
  }
}
