import { isWellFormedJson, parseJson } from '../lib/json.ts'
import { BodyError, readBodyBytes } from './body-bytes.ts'

/** A member of the body is missing or wrong; `field` is its path, such as `member.id`. */
export class FieldError extends Error {
  readonly field: string

  constructor(field: string, problem = 'is missing, empty or of the wrong type') {
    super(field === '' ? 'The body must be a JSON object.' : `The field "${field}" ${problem}.`)
    this.name = 'FieldError'
    this.field = field
  }
}

const MAX_BYTES = 64 * 1024
const UTF_8 = new TextDecoder('utf-8', { fatal: true })

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
 * @throws {BodyError} when it is too large, takes too long, or is not JSON in UTF-8 with
 *   well-formed text
 */
export async function readJsonBody({ request }: { readonly request: Request }): Promise<unknown> {
  const text = decode(await readBodyBytes(request, MAX_BYTES))
  const json = text === undefined ? undefined : parseJson(text)
  if (json === undefined || !isWellFormedJson(json)) {
    throw new BodyError('not-json', 'The body is not JSON.')
  }
  return json
}
