import { AnswerBody } from './answer-body.ts'
import {
  bodyFraming,
  checkField,
  type Fields,
  headersOf,
  malformed,
  readChunkSize,
  readEndFields,
  readHead,
  readStatusLine,
  type State,
  type StatusLine,
} from './answer-grammar.ts'
import { type Answer, MAX_BODY_BYTES } from './bounded-fetch.ts'
import { closedByServer, RequestError } from './request-error.ts'

/** A complete answer. */
export interface ParsedAnswer extends Answer {
  /** Whether the connection can be reused. */
  readonly mayReuse: boolean
}

/** Limit for status line and headers, those of interim (1xx) answers included. */
const MAX_HEAD_BYTES = 16 * 1024
/**
 * Limit for the whole answer on the wire (head, body, chunk sizes and extensions, trailers), as a
 * multiple of the limit for the body.
 */
const RAW_FACTOR = 2
const LINE_FEED = 0x0a

/**
 * Strict incremental parser of one HTTP/1.1 answer. Every byte counts towards a limit, so no part of an
 * answer can go on for ever.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112
 */
export class AnswerParser {
  #state: State = 'status line'
  #rawBytes = 0
  #headBytes = 0
  #line = ''
  #statusLine: StatusLine = { status: 0, isVersion11: false }
  /** The header lines, each with its line break. */
  #fields = ''
  #endFields: Fields | undefined
  /** Remaining bytes of the body or chunk. */
  #left = 0
  #hasSurplus = false
  readonly #body: AnswerBody
  readonly #maxBodyBytes: number

  constructor(maxBodyBytes = MAX_BODY_BYTES) {
    this.#body = new AnswerBody(maxBodyBytes)
    this.#maxBodyBytes = maxBodyBytes
  }

  /**
   * Parses the next bytes; returns the answer once it is complete.
   *
   * @throws {RequestError} when the answer is malformed or too large
   */
  push(bytes: Buffer): ParsedAnswer | undefined {
    let at = 0
    while (at < bytes.length && this.#state !== 'done') {
      const taken = this.#take(bytes, at)
      this.#countRaw(taken)
      at += taken
    }
    if (this.#state !== 'done') return undefined
    this.#hasSurplus = at < bytes.length
    return this.#answer()
  }

  /**
   * Handles the end of the connection.
   *
   * @throws {RequestError} when the answer is not complete
   */
  end(): ParsedAnswer {
    if (this.#state === 'body until close') return this.#answer()
    throw closedByServer()
  }

  /** Whether no byte has arrived yet. */
  get isUntouched(): boolean {
    return this.#rawBytes === 0
  }

  #countRaw(bytes: number): void {
    this.#rawBytes += bytes
    const maxRawBytes = this.#maxBodyBytes * RAW_FACTOR
    if (this.#rawBytes <= maxRawBytes) return
    const size = `${maxRawBytes / 1024} KiB`
    const text = `answer is larger than ${size}, headers and framing included`
    throw new RequestError('answer-too-large', text, 'final')
  }

  /** Reads on from `at`; returns how many bytes were consumed, at least one. */
  #take(bytes: Buffer, at: number): number {
    if (this.isUntouched) {
      const taken = this.#takeHead(bytes)
      if (taken > 0) return taken
    }
    if (this.#state === 'body until close') return this.#takeBody(bytes.subarray(at))
    if (this.#state !== 'sized body' && this.#state !== 'chunk') return this.#takeLine(bytes, at)
    const taken = this.#takeBody(bytes.subarray(at, at + this.#left))
    this.#left -= taken
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'end of chunk' : 'done'
    return taken
  }

  /** Takes a head that has arrived in one piece, as nearly all do; returns 0 for others. */
  #takeHead(bytes: Buffer): number {
    const head = readHead(bytes.toString('latin1', 0, MAX_HEAD_BYTES))
    if (head === undefined) return 0
    this.#statusLine = head.statusLine
    this.#fields = head.fields
    this.#endHead()
    return head.bytes
  }

  #takeBody(bytes: Buffer): number {
    this.#body.push(bytes)
    return bytes.length
  }

  #takeLine(bytes: Buffer, at: number): number {
    const lineFeed = bytes.indexOf(LINE_FEED, at)
    const end = lineFeed === -1 ? bytes.length : lineFeed + 1
    this.#line += bytes.toString('latin1', at, end)
    if (this.#state === 'status line' || this.#state === 'header') this.#countHead(end - at)
    if (lineFeed === -1) return end - at
    const line = this.#line
    this.#line = ''
    if (!line.endsWith('\r\n')) throw malformed()
    this.#readLine(line.slice(0, -2))
    return end - at
  }

  #countHead(bytes: number): void {
    if (this.#state === 'status line' && !'HTTP/1.'.startsWith(this.#line.slice(0, 7))) {
      throw malformed()
    }
    this.#headBytes += bytes
    if (this.#headBytes <= MAX_HEAD_BYTES) return
    const text = 'headers of the answer are too large'
    throw new RequestError('malformed-answer', text, 'this address')
  }

  #readLine(line: string): void {
    switch (this.#state) {
      case 'status line':
        this.#statusLine = readStatusLine(line)
        this.#fields = ''
        this.#state = 'header'
        return
      case 'header':
        if (line === '') this.#endHead()
        else this.#addField(line)
        return
      case 'chunk size':
        this.#beginChunk(readChunkSize(line))
        return
      case 'end of chunk':
        if (line !== '') throw malformed()
        this.#state = 'chunk size'
        return
      default:
        if (line === '') this.#state = 'done'
        else checkField(line)
    }
  }

  #addField(line: string): void {
    checkField(line)
    this.#fields += `${line}\r\n`
  }

  #endHead(): void {
    if (this.#statusLine.status < 200) {
      this.#state = 'status line'
      return
    }
    this.#endFields = readEndFields(this.#fields)
    const framing = bodyFraming(this.#statusLine, this.#endFields, this.#maxBodyBytes)
    if (framing.kind === 'chunked') this.#state = 'chunk size'
    if (framing.kind === 'until close') this.#state = 'body until close'
    if (framing.kind !== 'sized') return
    this.#left = framing.bytes
    this.#state = framing.bytes === 0 ? 'done' : 'sized body'
  }

  #beginChunk(bytes: number): void {
    this.#body.expect(bytes)
    this.#left = bytes
    this.#state = bytes === 0 ? 'trailer' : 'chunk'
  }

  #answer(): ParsedAnswer {
    const fields = this.#fields
    const options = this.#endFields?.get('connection')
    const saysClose =
      options
        ?.toLowerCase()
        .split(/[\t ,]+/)
        .includes('close') ?? false
    const endsByClose = this.#state !== 'done' || this.#hasSurplus
    return {
      status: this.#statusLine.status,
      // Made when asked for: most callers need the body alone.
      get headers() {
        return headersOf(fields)
      },
      body: this.#body.text(),
      mayReuse: this.#statusLine.isVersion11 && !endsByClose && !saysClose,
    }
  }
}
