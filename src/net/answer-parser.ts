import {
  bodyFraming,
  malformed,
  readChunkSize,
  readField,
  readStatusLine,
  type StatusLine,
} from './answer-grammar.ts'
import {
  type Answer,
  AnswerTooLarge,
  closedByServer,
  MAX_BODY_BYTES,
  RequestError,
} from './bounded-fetch.ts'

/** A complete answer. */
export interface ParsedAnswer extends Answer {
  /** Whether the connection can be reused. */
  readonly mayReuse: boolean
}

/** What the parser expects next. */
type State =
  | 'sized body'
  | 'body until close'
  | 'chunk'
  | 'status line'
  | 'header'
  | 'chunk size'
  | 'end of chunk'
  | 'trailer'
  | 'done'

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
  #headers = new Headers()
  readonly #body: Uint8Array[] = []
  #bodyBytes = 0
  /** Remaining bytes of the body or chunk. */
  #left = 0
  #hasSurplus = false
  readonly #maxBodyBytes: number

  constructor(maxBodyBytes = MAX_BODY_BYTES) {
    this.#maxBodyBytes = maxBodyBytes
  }

  /**
   * Parses the next bytes; returns the answer once it is complete.
   *
   * @throws {RequestError} when the answer is malformed or too large
   */
  push(bytes: Uint8Array): ParsedAnswer | undefined {
    let rest = bytes
    while (rest.length > 0 && this.#state !== 'done') {
      const taken = this.#take(rest)
      this.#countRaw(taken)
      rest = rest.subarray(taken)
    }
    if (this.#state !== 'done') return undefined
    this.#hasSurplus = rest.length > 0
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
    throw new RequestError(`answer is larger than ${size}, headers and framing included`, 'final')
  }

  /** Returns how many bytes were consumed, at least one. */
  #take(bytes: Uint8Array): number {
    if (this.#state === 'body until close') return this.#takeBody(bytes)
    if (this.#state !== 'sized body' && this.#state !== 'chunk') return this.#takeLine(bytes)
    const taken = this.#takeBody(bytes.subarray(0, this.#left))
    this.#left -= taken
    if (this.#left === 0) this.#state = this.#state === 'chunk' ? 'end of chunk' : 'done'
    return taken
  }

  #takeBody(bytes: Uint8Array): number {
    this.#bodyBytes += bytes.length
    if (this.#bodyBytes > this.#maxBodyBytes) throw new AnswerTooLarge(this.#maxBodyBytes)
    this.#body.push(bytes)
    return bytes.length
  }

  #takeLine(bytes: Uint8Array): number {
    const end = bytes.indexOf(LINE_FEED)
    const taken = end === -1 ? bytes.length : end + 1
    this.#line += Buffer.from(bytes.subarray(0, taken)).toString('latin1')
    if (this.#state === 'status line' || this.#state === 'header') this.#countHead(taken)
    if (end === -1) return taken
    const line = this.#line
    this.#line = ''
    if (!line.endsWith('\r\n')) throw malformed()
    this.#readLine(line.slice(0, -2))
    return taken
  }

  #countHead(bytes: number): void {
    if (this.#state === 'status line' && !'HTTP/1.'.startsWith(this.#line.slice(0, 7))) {
      throw malformed()
    }
    this.#headBytes += bytes
    if (this.#headBytes <= MAX_HEAD_BYTES) return
    throw new RequestError('headers of the answer are too large', 'this address')
  }

  #readLine(line: string): void {
    switch (this.#state) {
      case 'status line':
        this.#statusLine = readStatusLine(line)
        this.#headers = new Headers()
        this.#state = 'header'
        return
      case 'header':
        if (line === '') this.#endHead()
        else this.#headers.append(...readField(line))
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
        else readField(line)
    }
  }

  #endHead(): void {
    if (this.#statusLine.status < 200) {
      this.#state = 'status line'
      return
    }
    const framing = bodyFraming(this.#statusLine, this.#headers, this.#maxBodyBytes)
    if (framing.kind === 'chunked') this.#state = 'chunk size'
    if (framing.kind === 'until close') this.#state = 'body until close'
    if (framing.kind !== 'sized') return
    this.#left = framing.bytes
    this.#state = framing.bytes === 0 ? 'done' : 'sized body'
  }

  #beginChunk(bytes: number): void {
    if (this.#bodyBytes + bytes > this.#maxBodyBytes) throw new AnswerTooLarge(this.#maxBodyBytes)
    this.#left = bytes
    this.#state = bytes === 0 ? 'trailer' : 'chunk'
  }

  #answer(): ParsedAnswer {
    const options = (this.#headers.get('connection') ?? '').toLowerCase().split(/[\t ,]+/)
    const endsByClose = this.#state !== 'done' || this.#hasSurplus
    return {
      status: this.#statusLine.status,
      headers: this.#headers,
      body: new TextDecoder().decode(Buffer.concat(this.#body)),
      mayReuse: this.#statusLine.isVersion11 && !endsByClose && !options.includes('close'),
    }
  }
}
