import { decodeJwt, type JWTPayload } from 'jose'
import { GET_TOKEN_EXAMPLE } from '../../src/routes/examples.ts'
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

/**
 * Exchanges the OpenID token of the API page's first example for a LiveKit token.
 *
 * @throws {Error} when the answer is not a token, or the room did not come to exist on the SFU.
 */
export async function exchangeToken(stage: Stage): Promise<Exchange> {
  const url = `${stage.service.url}/get_token`
  const body = JSON.stringify(GET_TOKEN_EXAMPLE)
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
