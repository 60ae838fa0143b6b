import { DeadlineExceeded, withDeadline } from '../net/deadline.ts'

/** Why a body is no JSON that the service reads. */
export type BodyFault = 'not-json' | 'too-large' | 'too-slow'

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

function tooLarge(): BodyError {
  return new BodyError('too-large', `The body is larger than ${MAX_BYTES / 1024} KiB.`)
}

async function readStream(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

async function readBytes(request: Request): Promise<Uint8Array> {
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > MAX_BYTES) throw tooLarge()
  // No more arrives than was stated.
  if (length !== null) return new Uint8Array(await request.arrayBuffer())
  return request.body === null ? new Uint8Array() : readStream(request.body)
}

async function readInTime(request: Request): Promise<Uint8Array> {
  try {
    return await withDeadline(MAX_DURATION_MS, undefined, () => readBytes(request))
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error
    throw new BodyError('too-slow', 'The body did not arrive in time.')
  }
}

/** Half of a surrogate pair stays escaped in `JSON.stringify`; it is no text, and cannot be hashed as such. */
function hasLoneSurrogate(text: string, json: unknown): boolean {
  return /\\u[dD][89a-fA-F]/.test(text) && /\\ud[89a-f]/.test(JSON.stringify(json))
}

/**
 * Reads the body of a request as JSON, whatever its `Content-Type` says.
 *
 * @throws {BodyError} when it is too large, takes too long, or is not JSON in UTF-8
 */
export async function readJsonBody({ request }: { readonly request: Request }): Promise<unknown> {
  const bytes = await readInTime(request)
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const json: unknown = JSON.parse(text)
    if (!hasLoneSurrogate(text, json)) return json
  } catch {
    // Not UTF-8 or not JSON: answered below.
  }
  throw new BodyError('not-json', 'The body is not JSON.')
}
