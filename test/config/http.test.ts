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
    ['8080', 'has no ":" before the port'],
    ['127.0.0.1', 'has no port'],
    [':', 'has no port'],
    ['[::1]', 'has no port'],
    [':http', 'has a port that is not a number'],
    [':-1', 'has a port that is not a number'],
    [':65536', 'has a port above 65535'],
    ['::1', 'has an IPv6 address without brackets'],
    ['::1:8080', 'has an IPv6 address without brackets'],
    ['[:::]:8080', 'has no IPv6 address in its brackets'],
    ['[127.0.0.1]:8080', 'has no IPv6 address in its brackets'],
    ['http://127.0.0.1:8080', 'is a URL'],
    ['127.0.0.1:8080/', 'contains "/"'],
    ['user@host:8080', 'has a host that is not valid'],
    ['127.0.0.1 :8080', 'contains a space'],
    ['":8080"', 'is in quotes'],
  ])('refuses %p', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_JWT_BIND: text })).toEqual([
      `LIVEKIT_JWT_BIND: ${wrong}; expected ":port", "host:port" or "[v6]:port", such as ":8080"`,
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
    ['65536', 'is 65536, above 65535'],
    [':9000', 'is not a whole number'],
    ['http', 'is not a whole number'],
  ])('refuses %s', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_JWT_PORT: text })).toEqual([
      `LIVEKIT_JWT_PORT: ${wrong}; expected a whole number from 0 to 65535, such as "8080"`,
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
      'LIVEKIT_SWAGGER: is neither on nor off; expected "on" or "off"',
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
    ['3601', 'is 3601, above 3600'],
    ['10s', 'has letters behind the number'],
  ])('refuses %s', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_SHUTDOWN_GRACE_SECONDS: text })).toEqual([
      `LIVEKIT_SHUTDOWN_GRACE_SECONDS: ${wrong}; ` +
        'expected a whole number of seconds from 0 to 3600, such as "30"',
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
    ['3601', 'is 3601, above 3600'],
    ['-1', 'is negative'],
  ])('refuses %s', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_SHUTDOWN_DELAY_SECONDS: text })).toEqual([
      `LIVEKIT_SHUTDOWN_DELAY_SECONDS: ${wrong}; ` +
        'expected a whole number of seconds from 0 to 3600, such as "5"',
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
      'LIVEKIT_LOG_FORMAT: is neither pretty nor json; expected "pretty" or "json"',
    ])
  })
})
