import { describe, expect, test } from 'bun:test'
import { load, problemsOf, quietly, warningsOf } from './loading.ts'

describe('LIVEKIT_JWT_BIND', () => {
  test('is port 8080 on all interfaces by default', () => {
    expect(quietly({}).bind).toEqual({ host: undefined, port: 8080 })
  })

  test.each([
    [':8080', undefined, 8080],
    [':0', undefined, 0],
    [':65535', undefined, 65_535],
    ['127.0.0.1:9000', '127.0.0.1', 9000],
    ['0.0.0.0:9000', '0.0.0.0', 9000],
    ['localhost:9000', 'localhost', 9000],
    ['jwt_service.internal:9000', 'jwt_service.internal', 9000],
    ['[::1]:9000', '::1', 9000],
    ['[::]:9000', '::', 9000],
    ['[::ffff:127.0.0.1]:9000', '::ffff:127.0.0.1', 9000],
  ])('takes %s', (text, host, port) => {
    expect(quietly({ LIVEKIT_JWT_BIND: text }).bind).toEqual({ host, port })
  })

  test.each([
    '8080',
    '127.0.0.1',
    ':',
    ':http',
    ':65536',
    ':-1',
    '::1:8080',
    '[::1]',
    '[:::]:8080',
    '[127.0.0.1]:8080',
    'http://127.0.0.1:8080',
    '127.0.0.1:8080/',
    'user@host:8080',
    '127.0.0.1 :8080',
  ])('refuses %p', (text) => {
    expect(problemsOf({ LIVEKIT_JWT_BIND: text })).toEqual([
      'LIVEKIT_JWT_BIND: found something else; ' +
        'expected ":port", "host:port" or "[v6]:port", such as ":8080"',
    ])
  })
})

describe('LIVEKIT_JWT_PORT', () => {
  test('is the port on all interfaces, with a warning', () => {
    const env = { LIVEKIT_JWT_PORT: '9000' }
    expect(load(env).config?.bind).toEqual({ host: undefined, port: 9000 })
    expect(warningsOf(env)).toEqual(['LIVEKIT_JWT_PORT: is deprecated, use LIVEKIT_JWT_BIND=:port'])
  })

  test.each([
    ['65536', '65536'],
    [':9000', 'something else'],
    ['http', 'something else'],
  ])('refuses %s', (text, found) => {
    expect(problemsOf({ LIVEKIT_JWT_PORT: text })).toEqual([
      `LIVEKIT_JWT_PORT: found ${found}; expected a whole number from 0 to 65535`,
    ])
  })

  test('is not set together with LIVEKIT_JWT_BIND', () => {
    const env = { LIVEKIT_JWT_PORT: '8080', LIVEKIT_JWT_BIND: ':8080' }
    expect(problemsOf(env)).toEqual([
      'LIVEKIT_JWT_PORT: is set together with LIVEKIT_JWT_BIND; expected only the latter',
    ])
  })

  test('is nothing of ours when Kubernetes sets it for a service called "livekit-jwt"', () => {
    const env = { LIVEKIT_JWT_PORT: 'tcp://10.0.0.1:8080', LIVEKIT_JWT_BIND: ':9000' }
    expect(quietly(env).bind).toEqual({ host: undefined, port: 9000 })
  })
})

describe('LIVEKIT_SWAGGER', () => {
  test.each([
    ['', true],
    ['on', true],
    ['ON', true],
    ['off', false],
    ['Off', false],
  ])('of %p makes it %p', (text, swagger) => {
    expect(quietly({ LIVEKIT_SWAGGER: text }).swagger).toBe(swagger)
  })

  test('is a word of two', () => {
    expect(problemsOf({ LIVEKIT_SWAGGER: 'false' })).toEqual([
      'LIVEKIT_SWAGGER: found something else; expected "on" or "off"',
    ])
  })
})

describe('LIVEKIT_SHUTDOWN_GRACE_SECONDS', () => {
  test.each([
    ['', 10_000],
    ['0', 0],
    ['30', 30_000],
    ['3600', 3_600_000],
  ])('of %p is %p ms', (text, milliseconds) => {
    expect(quietly({ LIVEKIT_SHUTDOWN_GRACE_SECONDS: text }).shutdownGraceMs).toBe(milliseconds)
  })

  test.each([
    ['3601', '3601'],
    ['10s', 'something else'],
  ])('refuses %s', (text, found) => {
    expect(problemsOf({ LIVEKIT_SHUTDOWN_GRACE_SECONDS: text })).toEqual([
      `LIVEKIT_SHUTDOWN_GRACE_SECONDS: found ${found}; expected a whole number from 0 to 3600`,
    ])
  })
})

describe('LIVEKIT_SHUTDOWN_DELAY_SECONDS', () => {
  test.each([
    ['', 0],
    ['0', 0],
    ['15', 15_000],
    ['3600', 3_600_000],
  ])('of %p is %p ms', (text, milliseconds) => {
    expect(quietly({ LIVEKIT_SHUTDOWN_DELAY_SECONDS: text }).shutdownDelayMs).toBe(milliseconds)
  })

  test.each([
    ['3601', '3601'],
    ['-1', 'something else'],
  ])('refuses %s', (text, found) => {
    expect(problemsOf({ LIVEKIT_SHUTDOWN_DELAY_SECONDS: text })).toEqual([
      `LIVEKIT_SHUTDOWN_DELAY_SECONDS: found ${found}; expected a whole number from 0 to 3600`,
    ])
  })
})

describe('LIVEKIT_LOG_LEVEL', () => {
  test.each([
    ['', 'info'],
    ['debug', 'debug'],
    ['INFO', 'info'],
    ['warn', 'warn'],
    ['Warning', 'warn'],
    ['ERROR', 'error'],
  ] as const)('of %p is %p', (text, level) => {
    const { log, problems, warnings } = load({ LIVEKIT_LOG_LEVEL: text })
    expect(log.level).toBe(level)
    expect([...problems, ...warnings]).toEqual([])
  })

  test('of anything else is "info", with a warning', () => {
    const env = { LIVEKIT_LOG_LEVEL: 'trace' }
    expect(load(env).log.level).toBe('info')
    expect(problemsOf(env)).toEqual([])
    expect(warningsOf(env)).toEqual([
      'LIVEKIT_LOG_LEVEL: is none of "debug", "info", "warn", "error"; "info" is used',
    ])
  })
})

describe('LIVEKIT_LOG_FORMAT', () => {
  test.each([
    ['', undefined],
    ['json', 'json'],
    ['Pretty', 'pretty'],
  ] as const)('of %p is %p', (text, format) => {
    expect(load({ LIVEKIT_LOG_FORMAT: text }).log.format).toBe(format)
  })

  test('is a word of two', () => {
    expect(problemsOf({ LIVEKIT_LOG_FORMAT: 'logfmt' })).toEqual([
      'LIVEKIT_LOG_FORMAT: found something else; expected "pretty" or "json"',
    ])
  })
})
