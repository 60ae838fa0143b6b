import { decodeJwt, type JWTPayload } from 'jose'
import type { Stage } from './stage.ts'

/** One token exchange as a client makes it, and what came of it. */
export interface Exchange {
  readonly url: string
  /** The request body, JSON. */
  readonly body: string
  readonly answer: { readonly url: string; readonly jwt: string }
  /** What the token says. */
  readonly claims: JWTPayload
  /** A shell command that makes the same request. */
  readonly curl: string
}

function isAnswer(value: unknown): value is Exchange['answer'] {
  if (typeof value !== 'object' || value === null) return false
  const { url, jwt } = value as { url?: unknown; jwt?: unknown }
  return typeof url === 'string' && typeof jwt === 'string'
}

function requestBody({ homeserver }: Stage): string {
  const userId = `@alice:${homeserver.serverName}`
  return JSON.stringify({
    room_id: `!demo:${homeserver.serverName}`,
    slot_id: 'm.call#ROOM',
    openid_token: {
      access_token: homeserver.issueOpenIdToken(userId),
      token_type: 'Bearer',
      matrix_server_name: homeserver.serverName,
      expires_in: 3600,
    },
    member: { id: 'demo-member', claimed_user_id: userId, claimed_device_id: 'DEMODEVICE' },
  })
}

/**
 * Exchanges an OpenID token of a user of the stand-in homeserver for a LiveKit token.
 *
 * @throws {Error} when the answer is not a token, or the room did not come to exist on the SFU.
 */
export async function exchangeToken(stage: Stage): Promise<Exchange> {
  const url = `${stage.service.url}/get_token`
  const body = requestBody(stage)
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`POST /get_token: ${response.status} ${text}`)
  const answer: unknown = JSON.parse(text)
  if (!isAnswer(answer)) throw new Error(`POST /get_token: not a token: ${text}`)

  const claims = decodeJwt<{ video: { room: string } }>(answer.jwt)
  const { room } = claims.video
  if (!stage.sfu.rooms.has(room)) throw new Error(`The service did not create the room ${room}`)
  const curl = `curl -sS ${url} -H 'Content-Type: application/json' -d '${body}'`
  return { url, body, answer, claims, curl }
}
