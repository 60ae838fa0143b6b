import { describe, expect, test } from 'bun:test'
import { createLogger, type LogFields, type Logger, type LogLevel } from '../../src/log.ts'
import type { Trouble } from '../../src/trouble.ts'

const levels = ['debug', 'info', 'warn', 'error'] as const

interface Recorder {
  readonly logger: Logger
  /** All that was written. */
  text(): string
}

function record(format: 'pretty' | 'json', level: LogLevel = 'debug'): Recorder {
  const written: string[] = []
  const now = () => Date.UTC(2026, 8, 1, 12, 0, 0, 7)
  const logger = createLogger({ level, format, now, write: (line) => written.push(line) })
  return { logger, text: () => written.join('') }
}

test.each([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
] as const)('the level %s writes %p', (level, written) => {
  const { logger, text } = record('json', level)
  for (const each of levels) logger[each]('event')
  const lines = text().split('\n').slice(0, -1)
  expect(lines.map((line) => JSON.parse(line).level)).toEqual([...written])
})

describe('a line in JSON', () => {
  test('has the time, the level, the message and the fields, in this order', () => {
    const { logger, text } = record('json')
    logger.info('request', { status: 200, ok: true, server_name: 'example.com', list: ['a'] })
    expect(text()).toBe(
      '{"time":"2026-09-01T12:00:00.007Z","level":"info","message":"request",' +
        '"status":200,"ok":true,"server_name":"example.com","list":["a"]}\n',
    )
  })

  test('leaves out what is undefined', () => {
    const { logger, text } = record('json')
    logger.warn('request', { cause: undefined })
    expect(text()).toBe('{"time":"2026-09-01T12:00:00.007Z","level":"warn","message":"request"}\n')
  })

  test('is one line, whatever the fields hold', () => {
    const { logger, text } = record('json')
    logger.error('request', { server_name: 'a\nb\r\u2028"}' })
    expect(text().split('\n')).toHaveLength(2)
    expect(JSON.parse(text()).server_name).toBe('a\nb\r\u2028"}')
  })
})

test.each([
  ['\u009b2J', '"\\u009b2J"'],
  ['a\u007fb', '"a\\u007fb"'],
  ['a\u202eb\u2066c', '"a\\u202eb\\u2066c"'],
  ['a\u2028b\u2029c', '"a\\u2028b\\u2029c"'],
  ['a\u00adb\u200bc\ufeffd', '"a\\u00adb\\u200bc\\ufeffd"'],
  ['a\u{e0041}b', '"a\\udb40\\udc41b"'],
  ['\u00e9 \u{1f600}', '"\u00e9 \u{1f600}"'],
])('a line in JSON gives a terminal nothing to obey: %p', (value, shown) => {
  const { logger, text } = record('json')
  logger.info(value, { [value]: value, list: [value] })
  expect(text()).toContain(`"message":${shown},${shown}:${shown},"list":[${shown}]}`)
  expect(JSON.parse(text())).toMatchObject({ message: value, [value]: value, list: [value] })
})

describe('a trouble', () => {
  const trouble = { code: 'sfu.refused', found: 'connection refused', subject: 'the SFU' }

  function lineOf(format: 'pretty' | 'json', fields: LogFields, remedy?: string): string {
    const written: string[] = []
    const asked: Trouble[] = []
    const logger = createLogger({
      level: 'debug',
      format,
      colours: false,
      remedyFor(trouble) {
        asked.push(trouble)
        return remedy
      },
      now: () => Date.UTC(2026, 8, 1, 12, 0, 0, 7),
      write: (line) => written.push(line),
    })
    logger.warn('request', fields)
    expect(asked).toEqual(fields.trouble === undefined ? [] : [fields.trouble])
    return written.join('')
  }

  test('is written as cause, code and remedy', () => {
    expect(lineOf('json', { status: 500, trouble, room: 'a' }, 'Start the SFU.')).toBe(
      '{"time":"2026-09-01T12:00:00.007Z","level":"warn","message":"request","status":500,"room":"a",' +
        '"cause":"connection refused","code":"sfu.refused","remedy":"Start the SFU."}\n',
    )
  })

  test('is written for people with cause and remedy first, and the code later', () => {
    expect(lineOf('pretty', { room: 'a', list: 1, trouble, status: 500 }, 'Start it.')).toBe(
      '2026-09-01T12:00:00.007Z warn  request status=500 cause="connection refused" ' +
        'remedy="Start it." list=1 code=sfu.refused room=a\n',
    )
  })

  test('without a remedy has none in its line', () => {
    expect(JSON.parse(lineOf('json', { trouble }))).toEqual({
      ...{ time: '2026-09-01T12:00:00.007Z', level: 'warn', message: 'request' },
      cause: 'connection refused',
      code: 'sfu.refused',
    })
    expect(lineOf('pretty', { trouble })).toEndWith(
      ' request cause="connection refused" code=sfu.refused\n',
    )
  })

  test('that is undefined leaves the cause as it is', () => {
    expect(JSON.parse(lineOf('json', { cause: 'sent', trouble: undefined }, 'None.'))).toEqual({
      ...{ time: '2026-09-01T12:00:00.007Z', level: 'warn', message: 'request', cause: 'sent' },
    })
  })

  test('is cut to what fits into a line', () => {
    const long = { ...trouble, found: 'f'.repeat(60_000) }
    expect(JSON.parse(lineOf('json', { trouble: long }, 'r'.repeat(60_000)))).toMatchObject({
      cause: 'f'.repeat(1_000),
      remedy: 'r'.repeat(1_000),
    })
  })

  test('gives a terminal nothing to obey', () => {
    const hostile = { ...trouble, found: 'a\u001b[2J\nb' }
    for (const format of ['json', 'pretty'] as const) {
      const line = lineOf(format, { trouble: hostile })
      expect(line).toContain('"a\\u001b[2J\\nb"')
      expect(line.split('\n')).toHaveLength(2)
    }
  })
})

describe('a line for people', () => {
  function pretty(fields: LogFields): string {
    const { logger, text } = record('pretty')
    logger.info('request', fields)
    return text()
  }

  test('has the time, the level in colour, the message and the fields', () => {
    expect(pretty({ status: 200, server_name: 'example.com', cause: undefined })).toBe(
      '2026-09-01T12:00:00.007Z \u001b[32minfo \u001b[0m request' +
        ' \u001b[90mstatus=\u001b[0m200 \u001b[90mserver_name=\u001b[0mexample.com\n',
    )
  })

  test.each([
    ['two words', '"two words"'],
    ['', '""'],
    ['a=b', '"a=b"'],
    ['say "hi"', '"say \\"hi\\""'],
    ['wss://example.com:7880/a+b', 'wss://example.com:7880/a+b'],
    [{ a: 1 }, '{"a":1}'],
    [false, 'false'],
  ])('quotes %p where it must', (value, shown) => {
    expect(pretty({ key: value })).toEndWith(` \u001b[90mkey=\u001b[0m${shown}\n`)
  })

  test.each([
    ['a\nb', '"a\\nb"'],
    ['\u001b[2J', '"\\u001b[2J"'],
    ['\u009b2J', '"\\u{9b}2J"'],
    ['a\u202eb', '"a\\u{202e}b"'],
    ['a\u2028b\u007f', '"a\\u{2028}b\\u{7f}"'],
    ['a\u{e0041}b', '"a\\u{e0041}b"'],
  ])('gives a terminal nothing to obey: %p', (value, shown) => {
    expect(pretty({ key: value })).toEndWith(` \u001b[90mkey=\u001b[0m${shown}\n`)
  })

  test.each([
    ['debug', 90],
    ['info', 32],
    ['warn', 33],
    ['error', 31],
  ] as const)('has a colour for %s', (level, colour) => {
    const { logger, text } = record('pretty')
    logger[level]('event')
    expect(text()).toBe(
      `2026-09-01T12:00:00.007Z \u001b[${colour}m${level.padEnd(5)}\u001b[0m event\n`,
    )
  })
})
