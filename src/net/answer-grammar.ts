import type { AnswerHeaders } from './bounded-fetch.ts'
import { AnswerTooLarge, RequestError } from './request-error.ts'

/** The status line of an answer. */
export interface StatusLine {
  readonly status: number
  readonly isVersion11: boolean
}

/** Status line and headers of an answer. */
export interface Head {
  readonly statusLine: StatusLine
  /** The header lines, each with its line break. */
  readonly fields: string
  /** Its length with the empty line at the end. */
  readonly bytes: number
}

/** How the body of an answer ends. */
export type BodyFraming =
  | { readonly kind: 'sized'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until close' }

const STATUS = String.raw`HTTP/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?`
const NAME = String.raw`[!#$%&'*+\-.^_\`|~0-9A-Za-z]+`
const VALUE = String.raw`[\t\x20-\x7e\x80-\xff]*`
/** What comes next in an answer. */
export type State =
  | 'sized body'
  | 'body until close'
  | 'chunk'
  | 'status line'
  | 'header'
  | 'chunk size'
  | 'end of chunk'
  | 'trailer'
  | 'done'

const STATUS_LINE = new RegExp(`^${STATUS}$`)
const FIELD = new RegExp(`^${NAME}:${VALUE}$`)
const HEAD = new RegExp(`^${STATUS}\r\n((?:${NAME}:${VALUE}\r\n)*)\r\n`)
const CHUNK_SIZE = /^([0-9A-Fa-f]{1,8})[\t ]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/
const LENGTH = /^\d{1,15}$/

/** The error for bytes that are not a valid HTTP/1.1 answer. */
export function malformed(): RequestError {
  return new RequestError('malformed-answer', 'answer is malformed', 'this address')
}

/** Parses a line such as `HTTP/1.1 200 OK`, without its line break. */
export function readStatusLine(line: string): StatusLine {
  const [, minor, status] = STATUS_LINE.exec(line) ?? []
  // 101 Switching Protocols: never requested.
  if (status === undefined || status === '101') throw malformed()
  return { status: Number(status), isVersion11: minor === '1' }
}

/** Checks a header or trailer line, without its line break. Folded lines are malformed. */
export function checkField(line: string): void {
  if (!FIELD.test(line)) throw malformed()
}

/**
 * Parses a complete head at the start of a text; `undefined` unless there is one, of a final answer.
 * Line by line, the heads of userinfo answers took 5 % of the processor time of all that a token costs.
 */
export function readHead(text: string): Head | undefined {
  const [head, minor, status, fields] = HEAD.exec(text) ?? []
  if (head === undefined || fields === undefined || Number(status) < 200) return undefined
  const statusLine = { status: Number(status), isVersion11: minor === '1' }
  return { statusLine, fields, bytes: head.length }
}

/** Values of headers by their names in small letters; several of one name are joined. */
export type Fields = ReadonlyMap<string, string>

/**
 * Reads header lines that have been checked, each with its line break.
 *
 * @param isWanted - by the name in small letters
 */
function readFields(fields: string, isWanted: (name: string) => boolean): Fields {
  const found = new Map<string, string>()
  let end = 0
  for (let start = 0; start < fields.length; start = end + 2) {
    end = fields.indexOf('\r\n', start)
    if (end === -1) throw malformed()
    const colon = fields.indexOf(':', start)
    const name = fields.slice(start, colon).toLowerCase()
    if (!isWanted(name)) continue
    const value = trimmed(fields.slice(colon + 1, end))
    const before = found.get(name)
    found.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return found
}

/** Without spaces and tabs around it; `trim` takes away characters that belong to a value. */
function trimmed(value: string): string {
  let start = 0
  let end = value.length
  while (start < end && isBlank(value.charCodeAt(start))) start += 1
  while (end > start && isBlank(value.charCodeAt(end - 1))) end -= 1
  return value.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/**
 * The headers in header lines that have been checked. Those of the platform take longer for each name
 * the more there are: a head full of them would hold up everybody.
 */
export function headersOf(fields: string): AnswerHeaders {
  const found = readFields(fields, () => true)
  return {
    get: (name) => found.get(name.toLowerCase()) ?? null,
    [Symbol.iterator]: () => found.entries(),
  }
}

const END_FIELDS: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
])

/** Finds the headers that say where an answer and its connection end. */
export function readEndFields(fields: string): Fields {
  return readFields(fields, (name) => END_FIELDS.has(name))
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
  fields: Fields,
  maxBytes: number,
): BodyFraming {
  if (status === 204 || status === 304) return { kind: 'sized', bytes: 0 }
  const length = fields.get('content-length')
  const encoding = fields.get('transfer-encoding')
  if (encoding === undefined) {
    if (length === undefined) return { kind: 'until close' }
    return { kind: 'sized', bytes: readLength(length, maxBytes) }
  }
  const isPlain = isVersion11 && length === undefined && encoding.toLowerCase() === 'chunked'
  if (!isPlain) throw malformed()
  return { kind: 'chunked' }
}
