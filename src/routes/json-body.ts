/** Why a body is no JSON that the service reads. */
export type BodyFault = 'not-json' | 'too-large'

/** The body of a request cannot be read as JSON. */
export class BodyError extends Error {
  readonly fault: BodyFault

  constructor(fault: BodyFault, message: string) {
    super(message)
    this.name = 'BodyError'
    this.fault = fault
  }
}

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
const MAX_DURATION_MS = 10_000

async function readBytes(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const reader = body.getReader()
  const timer = setTimeout(() => {
    reader.cancel().catch(() => {})
  }, MAX_DURATION_MS)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return Buffer.concat(chunks)
      size += value.byteLength
      if (size > MAX_BYTES) {
        reader.cancel().catch(() => {})
        throw new BodyError('too-large', `The body is larger than ${MAX_BYTES / 1024} KiB.`)
      }
      chunks.push(value)
    }
  } finally {
    clearTimeout(timer)
  }
}

/** Half of a surrogate pair stays escaped in `JSON.stringify`; it is no text, and cannot be hashed as such. */
function hasLoneSurrogate(text: string, json: unknown): boolean {
  return /\\u[dD][89a-fA-F]/.test(text) && /\\ud[89a-f]/.test(JSON.stringify(json))
}

/**
 * Reads the body of a request as JSON, whatever its `Content-Type` says.
 *
 * @throws {BodyError} when it is too large, or not JSON in UTF-8
 */
export async function readJsonBody({ request }: { readonly request: Request }): Promise<unknown> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BYTES) {
    throw new BodyError('too-large', `The body is larger than ${MAX_BYTES / 1024} KiB.`)
  }
  const bytes = request.body === null ? new Uint8Array() : await readBytes(request.body)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const json: unknown = JSON.parse(text)
    if (!hasLoneSurrogate(text, json)) return json
  } catch {
    // Not UTF-8 or not JSON: answered below.
  }
  throw new BodyError('not-json', 'The body is not JSON.')
}
