import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { retryAfterMs } from '../../src/matrix/retry-after.ts'
import { AnswerParser, type ParsedAnswer } from '../../src/net/answer-parser.ts'
import { cacheLifetimeMs } from '../../src/net/cache-lifetime.ts'
import { RequestError } from '../../src/net/request-error.ts'
import { forAll } from './for-all.ts'
import { anyJson, moment, nearly } from './values.ts'

/** Feeds a parser with pieces that end at these places; the connection is closed at the end. */
function parse(bytes: Uint8Array, ends: readonly number[] = []): ParsedAnswer {
  const parser = new AnswerParser()
  let at = 0
  for (const end of [...ends, bytes.length]) {
    const answer = parser.push(Buffer.from(bytes.subarray(at, end)))
    if (answer !== undefined) return answer
    at = end
  }
  return parser.end()
}

/** The answer; `undefined` if the parser refuses it. Any other error is passed on. */
function parseOrRefuse(bytes: Uint8Array, ends?: readonly number[]): ParsedAnswer | undefined {
  try {
    return parse(bytes, ends)
  } catch (error) {
    if (error instanceof RequestError) return undefined
    throw error
  }
}

function plain({ status, headers, body, mayReuse }: ParsedAnswer) {
  return { status, headers: [...headers], body, mayReuse }
}

const fieldName = fc.stringMatching(/^X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}$/)
const fieldValue = fc.stringMatching(/^[!-~](?:[ -~]{0,8}[!-~])?$/)
const fields = fc.uniqueArray(fc.tuple(fieldName, fieldValue), {
  maxLength: 4,
  selector: ([name]) => name.toLowerCase(),
})
const body = fc.string({ unit: 'grapheme' })

interface Written {
  readonly wire: string
  readonly status: number
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
}

function lines(of: readonly (readonly [string, string])[]): string {
  return of.map(([name, value]) => `${name}: ${value}\r\n`).join('')
}

function inChunks(text: string, sizes: readonly number[], extension: string): string {
  const bytes = Buffer.from(text)
  let at = 0
  let wire = ''
  for (const size of [...sizes, bytes.length]) {
    const chunk = bytes.subarray(at, at + size)
    if (chunk.length === 0) break
    wire += `${chunk.length.toString(16)}${extension}\r\n${chunk.toString('latin1')}\r\n`
    at += chunk.length
  }
  return `${wire}0\r\n`
}

const framed = fc
  .tuple(
    fc.constantFrom('length', 'chunks', 'close'),
    body,
    fc.array(fc.integer({ min: 1, max: 9 })),
    fc.constantFrom('', ';a', '; a="b"'),
    fields,
  )
  .map(([how, text, sizes, extension, trailers]) => {
    const raw = Buffer.from(text).toString('latin1')
    if (how === 'length') return { text, head: `Content-Length: ${raw.length}\r\n`, rest: raw }
    if (how === 'close') return { text, head: '', rest: raw }
    const rest = `${inChunks(text, sizes, extension)}${lines(trailers)}\r\n`
    return { text, head: 'Transfer-Encoding: chunked\r\n', rest }
  })

/** Valid answers, some after interim ones. */
const written: fc.Arbitrary<Written> = fc
  .tuple(fc.constantFrom(200, 301, 404, 500), fields, framed, fc.nat(2))
  .map(([status, own, { text, head, rest }, interim]) => ({
    wire:
      'HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n'.repeat(interim) +
      `HTTP/1.1 ${status} Reason\r\n${lines(own)}${head}\r\n${rest}`,
    status,
    fields: own,
    body: text,
  }))

test('an answer is read as it was written, however it is split', async () => {
  const places = fc.array(fc.nat(400))
  await forAll(fc.tuple(written, places), ([{ wire, ...expected }, ends]) => {
    const bytes = Buffer.from(wire, 'latin1')
    const sorted = ends.filter((end) => end < bytes.length).toSorted((a, b) => a - b)
    const whole = parse(bytes)
    expect(plain(parse(bytes, sorted))).toEqual(plain(whole))
    // Byte order marks are no part of the text.
    const text = expected.body.replace(/^\ufeff/, '')
    expect({ status: whole.status, body: whole.body }).toEqual({
      status: expected.status,
      body: text,
    })
    for (const [name, value] of expected.fields) expect(whole.headers.get(name)).toBe(value)
  })
})

test('an answer that has been changed somewhere is read or refused, the same in single bytes', async () => {
  await forAll(nearly(written.map(({ wire }) => wire)), (wire) => {
    const bytes = Buffer.from(wire, 'latin1')
    const whole = parseOrRefuse(bytes)
    const single = parseOrRefuse(bytes, [...bytes.keys()].slice(1))
    // What follows an answer is only seen where it arrives together with the end.
    const seen = (answer: ParsedAnswer | undefined) =>
      answer && { ...plain(answer), mayReuse: true }
    expect(seen(single)).toEqual(seen(whole))
  })
})

test('bytes of any kind are read or refused', async () => {
  const begin = fc.constantFrom(
    '',
    'HTTP/1.1 200 OK\r\n',
    'HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n',
  )
  await forAll(fc.tuple(begin, fc.uint8Array({ maxLength: 200 })), ([start, bytes]) => {
    parseOrRefuse(Buffer.concat([Buffer.from(start), bytes]))
  })
})

/** A header value as an answer can have it. */
function headersOf(name: string, value: string): Headers {
  return new Headers({ [name]: value.replace(/[^\x20-\x7e]/g, '') })
}

test('Retry-After gives the seconds, or the time until the date', async () => {
  await forAll(fc.tuple(fc.nat(999_999_999), moment, moment), ([seconds, at, now]) => {
    expect(retryAfterMs(headersOf('retry-after', String(seconds)), {}, now)).toBe(seconds * 1000)
    const date = new Date(at).toUTCString()
    const until = Math.max(0, Math.floor(at / 1000) * 1000 - now)
    expect(retryAfterMs(headersOf('retry-after', date), {}, now)).toBe(until)
  })
})

test('retry_after_ms of the body is taken where there is no header', async () => {
  await forAll(fc.tuple(fc.nat(), moment), ([ms, now]) => {
    expect(retryAfterMs(new Headers(), { retry_after_ms: ms }, now)).toBe(ms)
  })
})

const hint = nearly(
  fc.oneof(
    fc.nat().map(String),
    moment.map((at) => new Date(at).toUTCString()),
    fc.constantFrom('-1', '1e9', '+275760-09-13T00:00:00Z', 'Sun, 06 Nov 1994 08:49:37 GMT'),
  ),
)

test('whatever an answer says, the pause is a time that can be waited for', async () => {
  const bodies = fc.oneof(anyJson, fc.record({ retry_after_ms: anyJson }))
  const huge = fc.constantFrom('{"retry_after_ms":1e999}', '{"retry_after_ms":-1e999}')
  const parsed = fc.oneof(
    bodies,
    huge.map((text): unknown => JSON.parse(text)),
  )
  await forAll(fc.tuple(hint, parsed, moment), ([value, json, now]) => {
    const pause = retryAfterMs(headersOf('retry-after', value), json, now)
    if (pause !== undefined) expect(Number.isFinite(pause) && pause >= 0).toBe(true)
  })
})

test('whatever an answer says, it is kept for a time within bounds', async () => {
  const directive = nearly(
    fc.constantFrom('max-age=60', 'no-store', 'public, max-age="9"', 'no-cache'),
  )
  const bounds = { defaultMs: 1_000, maxMs: 5_000 }
  await forAll(fc.tuple(directive, hint, moment), ([cacheControl, expires, now]) => {
    const headers = headersOf('cache-control', cacheControl)
    headers.set('expires', headersOf('expires', expires).get('expires') ?? '')
    const kept = cacheLifetimeMs(headers, now, bounds)
    expect(kept >= 0 && kept <= bounds.maxMs).toBe(true)
  })
})
