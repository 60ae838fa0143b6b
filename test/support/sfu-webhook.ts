import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'

/** The members of LiveKit's `WebhookEvent` in its JSON form that matter here. */
export interface WebhookFields {
  readonly event: string
  readonly room?: { readonly name: string }
  readonly participant?: {
    readonly identity: string
    /** ID of the connection. */
    readonly sid?: string
    readonly disconnectReason?: string
    /** Milliseconds since the epoch as a string, as LiveKit writes it. */
    readonly joinedAtMs?: string
  }
  /** Made up unless given. */
  readonly id?: string
  /** Seconds since the epoch as a string, as LiveKit writes it; now unless given. */
  readonly createdAt?: string
}

/** The key pair that webhooks are signed with. */
export interface SigningKey {
  readonly apiKey: string
  readonly apiSecret: string
}

/** The `Authorization` header (no scheme) that LiveKit sends with a webhook of this body. */
export function signWebhook(body: string, { apiKey, apiSecret }: SigningKey): Promise<string> {
  const sha256 = createHash('sha256').update(body).digest('base64')
  return new SignJWT({ sha256 })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(apiKey)
    .setNotBefore('0 s')
    .setExpirationTime('5 min')
    .sign(new TextEncoder().encode(apiSecret))
}

/** Delivers a webhook as LiveKit does. */
export async function sendWebhook(
  url: string,
  event: WebhookFields,
  key: SigningKey,
): Promise<Response> {
  const body = JSON.stringify({
    id: `EV_${crypto.randomUUID()}`,
    createdAt: String(Math.floor(Date.now() / 1000)),
    ...event,
  })
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/webhook+json',
      authorization: await signWebhook(body, key),
    },
    body,
  })
}
