import { bad, good, type Parsed } from './parsers.ts'

/** A lone percent sign would be read as something else by the client of Redis. */
function isEscaped(text: string): boolean {
  return !/%(?![0-9A-Fa-f]{2})/.test(text)
}

/** Takes the URL of a Redis or Valkey server; it may hold credentials, and a database number as path. */
export function redisUrl(text: string): Parsed<URL> {
  const expected = 'a URL such as redis://host:6379, rediss://host:6379/1 for TLS and database 1'
  const parsed = URL.parse(text)
  const usable =
    parsed !== null &&
    ['redis:', 'rediss:'].includes(parsed.protocol) &&
    parsed.hostname !== '' &&
    parsed.port !== '0' &&
    parsed.search === '' &&
    parsed.hash === '' &&
    isEscaped(parsed.username) &&
    isEscaped(parsed.password) &&
    /^(?:\/\d{0,5})?$/.test(parsed.pathname)
  return usable ? good(parsed) : bad('something else', expected)
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
  if (!/^[\x21-\x7e]+$/.test(text)) return bad('other characters', expected)
  return good(text, tokenWarning(text))
}
