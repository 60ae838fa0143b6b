import { describe, expect, test } from 'bun:test'
import { headersOf } from '../../src/net/answer-grammar.ts'
import { AnswerParser, type ParsedAnswer } from '../../src/net/answer-parser.ts'
import { createRandom } from '../support/random.ts'

/** Feeds a parser with pieces of these sizes, over and over; the connection is closed at the end. */
function parse(text: string, nextSize: () => number = () => text.length): ParsedAnswer {
  const bytes = Buffer.from(text)
  const parser = new AnswerParser()
  for (let at = 0; at < bytes.length; ) {
    const size = Math.max(1, nextSize())
    const answer = parser.push(bytes.subarray(at, at + size))
    if (answer !== undefined) return answer
    at += size
  }
  return parser.end()
}

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`

describe('answers', () => {
  test.each([
    ['a length', `${OK}Content-Length: 5\r\n\r\nhello`, 'hello', true],
    ['a length of nothing', `${OK}content-length:0\r\n\r\n`, '', true],
    ['chunks', `${CHUNKED}2\r\nhe\r\n03\r\nllo\r\n0\r\n\r\n`, 'hello', true],
    ['extensions', `${CHUNKED}5;a="b";c\r\nhello\r\n0;d\r\n\r\n`, 'hello', true],
    ['trailers', `${CHUNKED}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n`, 'hello', true],
    ['no end but that of the connection', `${OK}\r\nhello`, 'hello', false],
    [
      'interim answers',
      `HTTP/1.1 103 Hints\r\nA: b\r\n\r\n${OK}Content-Length: 1\r\n\r\nx`,
      'x',
      true,
    ],
    ['no reason', 'HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx', 'x', true],
    ['an older version', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', 'x', false],
    ['a farewell', `${OK}Connection: foo, Close\r\nContent-Length: 1\r\n\r\nx`, 'x', false],
    ['characters of many bytes', `${OK}Content-Length: 9\r\n\r\né€😀`, 'é€😀', true],
  ])('reads one with %s, however it is split', (_, text, body, mayReuse) => {
    expect(parse(text)).toMatchObject({ status: 200, body, mayReuse })
    expect(parse(text, () => 1)).toMatchObject({ status: 200, body, mayReuse })
  })

  test('keep their headers, but none of interim answers or trailers', () => {
    const interim = 'HTTP/1.1 103 Hints\r\nA: early\r\n\r\n'
    const head = `${OK}Cache-Control:  max-age=1 \r\nTransfer-Encoding: chunked\r\n\r\n`
    const { headers } = parse(`${interim}${head}0\r\nB: late\r\n\r\n`)
    expect([headers.get('cache-control'), headers.get('a'), headers.get('b')]).toEqual([
      'max-age=1',
      null,
      null,
    ])
  })

  test.each([204, 304])('have no body with status %p', (status) => {
    expect(parse(`HTTP/1.1 ${status} -\r\n\r\n`)).toMatchObject({ status, body: '' })
  })

  test('do not leave a reusable connection after extra bytes', () => {
    const text = `${OK}Content-Length: 1\r\n\r\nx${OK}Content-Length: 1\r\n\r\ny`
    expect(parse(text)).toMatchObject({ body: 'x', mayReuse: false })
  })
})

describe('what is refused', () => {
  test.each([
    ['both ways to end a body', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['two lengths', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`],
    ['a length with a sign', `${OK}Content-Length: +5\r\n\r\nhello`],
    ['an encoding that was not asked for', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    ['chunks twice over', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`],
    [
      'chunks of an older version',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['another protocol', 'HTTP/1.1 101 Switching\r\n\r\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['what is not HTTP', '<html>'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a header that is folded', `${OK}A: b\r\n c\r\n\r\n`],
    ['a header without a colon', `${OK}A\r\n\r\n`],
    ['a space before the colon', `${OK}Content-Length : 5\r\n\r\nhello`],
    ['a zero byte', `${OK}A: \0\r\n\r\n`],
    ['a bare carriage return', `${OK}A: b\rc\r\n\r\n`],
    ['a bare line feed', 'HTTP/1.1 200 OK\n\n'],
    ['a chunk size that is no number', `${CHUNKED}x\r\n`],
    ['a chunk size with a sign', `${CHUNKED}-1\r\n`],
    ['a chunk longer than its size', `${CHUNKED}1\r\nxy\r\n0\r\n\r\n`],
    ['a trailer without a colon', `${CHUNKED}0\r\nA\r\n\r\n`],
  ])('%s', (_, text) => {
    expect(() => parse(text)).toThrow('answer is malformed')
    expect(() => parse(text, () => 1)).toThrow('answer is malformed')
  })

  test.each([
    ['before the first byte', ''],
    ['in the status line', 'HTTP/1.1 2'],
    ['in the headers', `${OK}A: b\r\n`],
    ['after an interim answer', 'HTTP/1.1 100 Go on\r\n\r\n'],
    ['in a sized body', `${OK}Content-Length: 5\r\n\r\nhell`],
    ['in a chunk', `${CHUNKED}5\r\nhell`],
    ['in the trailers', `${CHUNKED}0\r\n`],
  ])('a connection that ends %s', (_, text) => {
    expect(() => parse(text)).toThrow('connection closed by the server')
  })
})

describe('what has no end', () => {
  test.each([
    ['a status line', 'HTTP/1.1 200 ', 'x', 'headers of the answer are too large'],
    ['a header', `${OK}A: `, 'x', 'headers of the answer are too large'],
    ['headers', OK, 'A: b\r\n', 'headers of the answer are too large'],
    ['interim answers', '', 'HTTP/1.1 100 -\r\n\r\n', 'headers of the answer are too large'],
    ['a body until the connection ends', `${OK}\r\n`, 'x', 'answer is larger than 64 KiB'],
    ['chunks', CHUNKED, `400\r\n${'x'.repeat(1024)}\r\n`, 'answer is larger than 64 KiB'],
    [
      'tiny chunks',
      CHUNKED,
      '1;abcdefgh\r\nx\r\n',
      'larger than 128 KiB, headers and framing included',
    ],
    ['an extension', `${CHUNKED}1;`, 'x', 'larger than 128 KiB, headers and framing included'],
    ['zeros of a size', CHUNKED, '0', 'larger than 128 KiB, headers and framing included'],
    ['a trailer', `${CHUNKED}0\r\nA: `, 'x', 'larger than 128 KiB, headers and framing included'],
    [
      'trailers',
      `${CHUNKED}0\r\n`,
      'A: b\r\n',
      'larger than 128 KiB, headers and framing included',
    ],
  ])('gives up on %s', (_, head, more, message) => {
    const parser = new AnswerParser()
    parser.push(Buffer.from(head))
    let bytes = 0
    const pour = () => {
      while (bytes < 1_000_000) {
        bytes += more.length
        parser.push(Buffer.from(more))
      }
    }
    expect(pour).toThrow(message)
    expect(bytes).toBeLessThanOrEqual(128 * 1024 + 32)
  })

  test('is refused at once when Content-Length is too large', () => {
    expect(() => parse(`${OK}Content-Length: 65537\r\n\r\n`)).toThrow('larger than 64 KiB')
    expect(() => parse(`${CHUNKED}10001\r\n`)).toThrow('larger than 64 KiB')
    const largest = 'x'.repeat(65_536)
    expect(parse(`${OK}Content-Length: 65536\r\n\r\n${largest}`).body).toBe(largest)
    expect(parse(`${CHUNKED}10000\r\n${largest}\r\n0\r\n\r\n`).body).toBe(largest)
  })
})

/** A random answer from mostly valid parts. */
function inventAnswer(random: () => number): string {
  const upTo = (most: number) => Math.floor(random() * (most + 1))
  const pick = (...choices: string[]) => choices[upTo(choices.length - 1)] ?? ''
  const body = 'é'.repeat(upTo(200))
  const size = Buffer.byteLength(body)
  const chunk = `${size.toString(16)}${pick('', ';a', ';a=b', ' ')}\r\n${body}\r\n`
  return [
    pick('', '', 'HTTP/1.1 100 -\r\n\r\n', 'HTTP/1.1 103 -\r\nA: b\r\n\r\n'),
    pick(OK, OK, 'HTTP/1.0 200 OK\r\n', 'HTTP/1.1 404\r\n', 'HTTP/1.1 204 -\r\n', 'HTP'),
    pick('', 'A: b\r\n', 'Connection: close\r\n', ' folded\r\n', 'A\0: b\r\n'),
    pick(
      `Content-Length: ${size + upTo(1)}\r\n\r\n${body}`,
      `Transfer-Encoding: chunked\r\n\r\n${size === 0 ? '' : chunk}0\r\n${pick('', 'A: b\r\n')}\r\n`,
      `\r\n${body}`,
      `Content-Length: ${size}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`,
    ),
  ].join('')
}

function outcomeOf(text: string, nextSize?: () => number): unknown {
  try {
    const { status, body, headers } = parse(text, nextSize)
    return { status, body, headers: [...headers] }
  } catch (error) {
    return String(error)
  }
}

test('reads as many headers as a head can hold as fast as few', () => {
  let head = ''
  for (let index = 0; head.length < 16_000; index += 1) head += `${index.toString(36)}:\r\n`
  const few = head.slice(0, head.indexOf('\r\n', 400) + 2)
  /** Milliseconds for each byte, at best: a machine may stand still at any time. */
  const bestTimeOf = (fields: string) => {
    const times = Array.from({ length: 200 }, () => {
      const startedAt = performance.now()
      headersOf(fields).get('location')
      return performance.now() - startedAt
    })
    return Math.min(...times) / fields.length
  }
  bestTimeOf(few)
  // The headers of the platform take over ten times as long for each byte.
  expect(bestTimeOf(head) / bestTimeOf(few)).toBeLessThan(4)
})

test('takes no character of a value for a blank', () => {
  const headers = headersOf('A: \t\xa0b\xa0 \r\nB:\r\na:c\r\n')
  expect([...headers]).toEqual([
    ['a', '\xa0b\xa0, c'],
    ['b', ''],
  ])
})

test('parses an answer the same way however it is split', () => {
  const random = createRandom(7)
  const seen = new Set<string>()
  for (let round = 0; round < 3_000; round += 1) {
    const text = inventAnswer(random)
    const whole = outcomeOf(text)
    seen.add(typeof whole === 'string' ? whole : 'answer')
    const most = 1 + random() * 40
    expect(outcomeOf(text, () => Math.floor(random() * most))).toEqual(whole)
  }
  expect([...seen].toSorted()).toEqual([
    'RequestError: answer is malformed',
    'RequestError: connection closed by the server',
    'answer',
  ])
})
