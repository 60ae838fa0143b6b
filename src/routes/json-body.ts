import { parseJson } from '../lib/json.ts'
import { BodyError, readBodyBytes } from './body-bytes.ts'

/** A member of the body is missing or wrong; `field` is its path, such as `member.id`. */
export class FieldError extends Error {
  readonly field: string

  constructor(field: string) {
    super(
      field === ''
        ? 'The body must be a JSON object.'
        : `The field "${field}" is missing, empty or of the wrong type.`,
    )
    this.name = 'FieldError'
    this.field = field
  }
}

const MAX_BYTES = 64 * 1024
const UTF_8 = new TextDecoder('utf-8', { fatal: true })

const SURROGATE = /\\u[dD][89a-fA-F]/
const LONE_HIGH = /\\u[dD][89abAB]..(?!\\u[dD][c-fC-F])/
const LONE_LOW = /(?<!\\u[dD][89abAB]..)\\u[dD][c-fC-F]/

/** Half of a surrogate pair is no text, and cannot be hashed as such. In UTF-8 it can only be escaped. */
function hasLoneSurrogate(text: string): boolean {
  if (!SURROGATE.test(text)) return false
  // Without the other escapes, every backslash that is left begins one of a character.
  const escapes = text.replace(/\\[^u]/g, '')
  return LONE_HIGH.test(escapes) || LONE_LOW.test(escapes)
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return UTF_8.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Reads the body of a request as JSON, whatever its `Content-Type` says.
 *
 * @throws {BodyError} when it is too large, takes too long, or is not JSON in UTF-8
 */
export async function readJsonBody({ request }: { readonly request: Request }): Promise<unknown> {
  const text = decode(await readBodyBytes(request, MAX_BYTES))
  const json = text === undefined ? undefined : parseJson(text)
  if (text === undefined || json === undefined || hasLoneSurrogate(text)) {
    throw new BodyError('not-json', 'The body is not JSON.')
  }
  return json
}
