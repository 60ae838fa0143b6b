import { parseJson, textMember } from '../lib/json.ts'
import { readAtMost } from '../lib/read-at-most.ts'
import { badAnswer, notLiveKit, type SfuCode, SfuError } from './sfu-error.ts'

const TWIRP_CODE = /^[a-z_]{1,40}$/
/** Far more than a room or a participant with all its attributes. */
const MAX_BYTES = 1024 * 1024

/** Whether the body is said to be of a type, such as `application/json`. */
export function hasType(response: Response, expected: string): boolean {
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';')
  return type.trim().toLowerCase() === expected
}

/**
 * Reads the body of an answer, as far as LiveKit's are long.
 *
 * @throws {SfuError} when it is empty or longer
 */
export async function readBody(response: Response, at: string): Promise<Uint8Array> {
  const length = response.headers.get('content-length')
  // No more is read than was stated.
  if (length !== null && Number(length) <= MAX_BYTES) {
    return new Uint8Array(await response.arrayBuffer())
  }
  const bytes = response.body === null ? undefined : await readAtMost(response.body, MAX_BYTES)
  if (bytes !== undefined) return bytes
  throw badAnswer(at, 'is empty or too large')
}

function codeFor(status: number): SfuCode {
  if (status === 401) return 'sfu.wrong-credentials'
  return status === 429 || status >= 500 ? 'sfu.unavailable' : 'sfu.call-refused'
}

/** What the texts of LiveKit's own refusals begin with; they go on with the token. */
const REFUSALS: readonly (readonly [beginning: string, meaning: string])[] = [
  ['invalid API key', 'it does not know the API key'],
  ['invalid token', 'it knows the API key, but the secret or the clock differs'],
]

/** How web servers greet whoever does not speak TLS at a port that does: Go, nginx, Apache. */
const WANTS_TLS = /HTTP request (?:was sent )?to (?:an )?HTTPS|speaking plain HTTP to an SSL/i

/** Refusals of a token are plain text, unlike all other errors. */
function refusedToken(text: string, at: string): SfuError {
  const meaning = REFUSALS.find(([beginning]) => text.startsWith(beginning))?.[1]
  const found = `status 401 at ${at}${meaning === undefined ? '' : `: ${meaning}`}`
  return new SfuError('unauthenticated', { code: 'sfu.wrong-credentials', found })
}

/** Where a redirect leads: without what follows the host, which may be anything. */
function targetOf({ headers, url }: Response): URL | undefined {
  const target = URL.parse(headers.get('location') ?? '', url)
  return target !== null && /^https?:$/.test(target.protocol) ? target : undefined
}

function redirected(response: Response, at: string): SfuError {
  const target = targetOf(response)
  const isToTls = target?.protocol === 'https:' && at.startsWith('http:')
  const found = `status ${response.status} at ${at}, a redirect to ${target?.origin ?? 'no URL'}`
  const code = isToTls ? 'sfu.needs-tls' : 'sfu.wrong-path'
  return new SfuError('unexpected_answer', { code, found })
}

/** An answer that is not written as LiveKit writes errors. */
async function foreignAnswer(response: Response, at: string): Promise<SfuError> {
  const { status } = response
  const bytes = response.body === null ? undefined : await readAtMost(response.body, MAX_BYTES)
  const text = new TextDecoder().decode(bytes)
  if (status === 401 && !hasType(response, 'text/html')) return refusedToken(text, at)
  if (status === 404) return notLiveKit(at, 'status 404')
  const wantsTls = status === 400 && WANTS_TLS.test(text)
  const found = `status ${status} at ${at}, and no error of LiveKit`
  return new SfuError('unexpected_answer', {
    code: wantsTls ? 'sfu.needs-tls' : foreignCode(status),
    found,
  })
}

function foreignCode(status: number): SfuCode {
  return status === 429 || status >= 500 ? 'sfu.unavailable' : 'sfu.wrong-path'
}

/**
 * What an answer other than 200 means. Messages of the SFU are not passed on: they may repeat the token.
 */
export async function errorAnswer(response: Response, at: string): Promise<SfuError> {
  const { status } = response
  if (status >= 300 && status < 400) {
    await response.body?.cancel()
    return redirected(response, at)
  }
  if (!hasType(response, 'application/json')) return foreignAnswer(response, at)
  const json = parseJson(new TextDecoder().decode(await readBody(response, at)))
  const told = TWIRP_CODE.exec(textMember(json, 'code') ?? '')?.[0] ?? 'unexpected_answer'
  const twirpCode = told === 'not_found' && status !== 404 ? 'unexpected_answer' : told
  const found = `status ${status}, ${twirpCode}, at ${at}`
  if (twirpCode === 'bad_route') return new SfuError(twirpCode, { code: 'sfu.wrong-path', found })
  return new SfuError(twirpCode, { code: codeFor(status), found })
}
