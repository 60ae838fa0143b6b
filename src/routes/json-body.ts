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

/** Half of a surrogate pair stays escaped in `JSON.stringify`; it is no text, and cannot be hashed as such. */
function hasLoneSurrogate(text: string, json: unknown): boolean {
  return /\\u[dD][89a-fA-F]/.test(text) && /\\ud[89a-f]/.test(JSON.stringify(json))
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
  if (text === undefined || json === undefined || hasLoneSurrogate(text, json)) {
    throw new BodyError('not-json', 'The body is not JSON.')
  }
  return json
}
