import { DeadlineExceeded, inTime } from '../lib/deadline.ts'
import { parseWellFormedJson } from '../lib/json.ts'
import { readAtMost } from '../lib/read-at-most.ts'

/** The body of a request is too large, too slow or not JSON. */
export class BodyError extends Error {
  readonly code: 'body-not-json' | 'body-too-large' | 'body-too-slow'

  constructor(code: BodyError['code'], message: string) {
    super(message)
    this.name = 'BodyError'
    this.code = code
  }
}

const MAX_DURATION_MS = 10_000
const MAX_JSON_BYTES = 64 * 1024
const UTF_8 = new TextDecoder('utf-8', { fatal: true })

function tooLarge(maxBytes: number): BodyError {
  return new BodyError('body-too-large', `The body is larger than ${maxBytes / 1024} KiB.`)
}

async function readStream(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const bytes = await readAtMost(body, maxBytes)
  if (bytes === undefined) throw tooLarge(maxBytes)
  return bytes
}

function read(request: Request, maxBytes: number): Promise<Uint8Array> {
  const length = request.headers.get('content-length')
  if (Number(length ?? 0) > maxBytes) throw tooLarge(maxBytes)
  // The runtime reads no more than Content-Length.
  if (length !== null) return request.bytes()
  if (request.body === null) return Promise.resolve(new Uint8Array())
  return readStream(request.body, maxBytes)
}

/**
 * Reads the body of a request.
 *
 * @throws {BodyError} when it is too large or takes too long
 */
export async function readBodyBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  try {
    return await inTime(MAX_DURATION_MS, read(request, maxBytes))
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error
    throw new BodyError('body-too-slow', 'The body did not arrive in time.')
  }
}

/** A field of the body is missing or wrong; `field` is its path, such as `member.id`. */
export class FieldError extends Error {
  readonly code = 'field-wrong'
  readonly field: string

  constructor(field: string, problem = 'is missing, empty or of the wrong type') {
    super(field === '' ? 'The body must be a JSON object.' : `The field "${field}" ${problem}.`)
    this.name = 'FieldError'
    this.field = field
  }
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
 * @throws {BodyError} when it is too large, takes too long, or is not JSON in UTF-8 with
 *   well-formed text
 */
export async function readJsonBody({ request }: { readonly request: Request }): Promise<unknown> {
  const text = decode(await readBodyBytes(request, MAX_JSON_BYTES))
  const json = text === undefined ? undefined : parseWellFormedJson(text)
  if (json === undefined) throw new BodyError('body-not-json', 'The body is not JSON.')
  return json
}

/** `parse` option of routes with a JSON body. */
export const JSON_BODY = [readJsonBody, 'json' as const] as const
