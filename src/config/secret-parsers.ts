import { bad, good, type Parsed, strayCharacters } from './parsers.ts'
import { portMistake, writtenUrl } from './url-parsers.ts'

/** A lone percent sign would be read as something else by the client of Redis. */
function isEscaped(text: string): boolean {
  return !/%(?![0-9A-Fa-f]{2})/.test(text)
}

function isRedisUrl(url: URL): boolean {
  return (
    ['redis:', 'rediss:'].includes(url.protocol) &&
    url.hostname !== '' &&
    url.port !== '0' &&
    url.search === '' &&
    url.hash === '' &&
    isEscaped(url.username) &&
    isEscaped(url.password) &&
    /^(?:\/\d{0,5})?$/.test(url.pathname)
  )
}

const UNESCAPED =
  'has a user name or password that is not percent-encoded (LIVEKIT_REDIS_PASSWORD takes one as it is)'

function whyNoRedisUrl(text: string): string {
  const written = writtenUrl(text)
  if (written === undefined) return strayCharacters(text) ?? 'has no scheme'
  if (!['redis', 'rediss'].includes(written.scheme)) return 'has another scheme'
  const [credentials, ...rest] = written.authority.split('@')
  // What is left of a password with "/", "?" or "#" in it ends the host.
  const isCutShort = rest.length === 0 && text.includes('@')
  if (isCutShort || (rest.length > 0 && !isEscaped(credentials ?? ''))) return UNESCAPED
  const host = written.authority.replace(/^.*@/, '')
  if (/^(?::|$)/.test(host)) return 'has no host'
  if (/:0+$/.test(host)) return 'has port 0'
  const wrongPort = portMistake(host)
  if (wrongPort !== undefined) return wrongPort
  if (/[?#]/.test(text)) return 'has a query or fragment, after "?" or "#"'
  if (!/^[^/]+:\/\/[^/]+(?:\/\d{0,5})?$/.test(text)) return 'has a path that is no database number'
  return strayCharacters(text) ?? 'has a host that is not valid'
}

/** Takes the URL of a Redis or Valkey server; it may hold credentials, and a database number as path. */
export function redisUrl(text: string): Parsed<URL> {
  const parsed = URL.parse(text)
  if (parsed !== null && isRedisUrl(parsed)) return good(parsed)
  return bad(
    whyNoRedisUrl(text),
    'a URL that begins with "redis://", or "rediss://" for TLS, and may end with a database number',
  )
}

const MIN_SECRET_LENGTH = 32

/** Why a secret is too short to sign with; `undefined` when it is long enough. */
export function secretWarning(secret: string): string | undefined {
  if (secret.length >= MIN_SECRET_LENGTH) return undefined
  return (
    `is shorter than ${MIN_SECRET_LENGTH} characters: ` +
    'whoever holds one token can guess it; use a longer, random one'
  )
}

/** Takes any text; one that can be guessed is warned about. */
export function signingSecret(text: string): Parsed<string> {
  return good(text, secretWarning(text))
}

/** Why a token can be guessed; `undefined` when it is long enough. */
export function tokenWarning(token: string): string | undefined {
  if (token.length >= MIN_SECRET_LENGTH) return undefined
  return `is shorter than ${MIN_SECRET_LENGTH} characters: it can be guessed; use a longer, random one`
}

/** Takes a token that goes into a header; one that can be guessed is warned about. */
export function bearerToken(text: string): Parsed<string> {
  const expected = 'a token of printable ASCII characters without spaces'
  if (/^[\x21-\x7e]+$/.test(text)) return good(text, tokenWarning(text))
  return bad(strayCharacters(text) ?? 'contains a character beyond ASCII', expected)
}
