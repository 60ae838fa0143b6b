import { AnswerTooLarge, RequestError } from './bounded-fetch.ts'

/** The status line of an answer. */
export interface StatusLine {
  readonly status: number
  readonly isVersion11: boolean
}

/** How the body of an answer ends. */
export type BodyFraming =
  | { readonly kind: 'sized'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until close' }

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)$/
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,8})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/
const LENGTH = /^\d{1,15}$/

/** The error for bytes that are not a valid HTTP/1.1 answer. */
export function malformed(): RequestError {
  return new RequestError('answer is malformed', 'this address')
}

/** Parses a line such as `HTTP/1.1 200 OK`, without its line break. */
export function readStatusLine(line: string): StatusLine {
  const [, minor, status] = STATUS_LINE.exec(line) ?? []
  // 101 Switching Protocols: never requested.
  if (status === undefined || status === '101') throw malformed()
  return { status: Number(status), isVersion11: minor === '1' }
}

/** Parses a header or trailer line, without its line break. Folded lines are malformed. */
export function readField(line: string): readonly [name: string, value: string] {
  const [, name, value] = FIELD.exec(line) ?? []
  if (name === undefined || value === undefined) throw malformed()
  return [name, value.trim()]
}

/** Parses a chunk-size line, without its line break. Extensions are ignored. */
export function readChunkSize(line: string): number {
  const [, size] = CHUNK_SIZE.exec(line) ?? []
  if (size === undefined) throw malformed()
  return Number.parseInt(size, 16)
}

function readLength(length: string, maxBytes: number): number {
  if (!LENGTH.test(length)) throw malformed()
  if (Number(length) > maxBytes) throw new AnswerTooLarge(maxBytes)
  return Number(length)
}

/**
 * Determines how the body is delimited; contradictory headers are malformed.
 *
 * @param maxBytes - limit for the body
 */
export function bodyFraming(
  { status, isVersion11 }: StatusLine,
  headers: Headers,
  maxBytes: number,
): BodyFraming {
  if (status === 204 || status === 304) return { kind: 'sized', bytes: 0 }
  const length = headers.get('content-length')
  const encoding = headers.get('transfer-encoding')
  if (encoding === null) {
    if (length === null) return { kind: 'until close' }
    return { kind: 'sized', bytes: readLength(length, maxBytes) }
  }
  const isPlain = isVersion11 && length === null && encoding.toLowerCase() === 'chunked'
  if (!isPlain) throw malformed()
  return { kind: 'chunked' }
}
