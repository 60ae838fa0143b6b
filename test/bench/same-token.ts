import { decodeJwt } from 'jose'
import { requestBody } from './load.ts'
import type { Subject } from './subject.ts'

async function claimsOf({ name, process }: Subject, serverName: string): Promise<string> {
  const response = await fetch(`${process.url}/get_token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: requestBody(serverName, 0),
  })
  const text = await response.text()
  if (response.status !== 200) {
    throw new Error(`${name}: ${response.status} ${text}\n${process.output()}`)
  }
  const { jwt } = JSON.parse(text) as { jwt: string }
  const { sub, iss, nbf = 0, exp = 0, video } = decodeJwt<{ video: Record<string, unknown> }>(jwt)
  return JSON.stringify([sub, iss, exp - nbf, Object.entries(video).sort()])
}

/**
 * A measure that does something else is none: all programs must hand out the same token.
 *
 * @throws {Error} when they don't.
 */
export async function requireSameToken(
  subjects: readonly Subject[],
  serverNames: readonly string[],
): Promise<void> {
  for (const serverName of serverNames) {
    const claims = await Promise.all(subjects.map((subject) => claimsOf(subject, serverName)))
    if (new Set(claims).size > 1) throw new Error(`Tokens differ:\n${claims.join('\n')}`)
  }
}
