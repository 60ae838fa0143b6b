import { describe, expect, test } from 'bun:test'
import { load, problemsOf, quietly, warningsOf } from './loading.ts'

describe('LIVEKIT_CS_API_URL_OVERRIDES', () => {
  test('names no server by default', () => {
    expect(quietly({}).clientApiOverrides).toEqual(new Map())
  })

  test('takes pairs separated by commas or spaces, without slashes at the end of URLs', () => {
    const text =
      'example.com=http://synapse:8008, [::1]:8448=https://[::1]/prefix/ a.test=http://b.test//'
    expect(quietly({ LIVEKIT_CS_API_URL_OVERRIDES: text }).clientApiOverrides).toEqual(
      new Map([
        ['example.com', 'http://synapse:8008'],
        ['[::1]:8448', 'https://[::1]/prefix'],
        ['a.test', 'http://b.test'],
      ]),
    )
  })

  test('is another list than that for verifying OpenID tokens', () => {
    const env = { LIVEKIT_FEDERATION_URL_OVERRIDES: 'example.com=http://synapse:8008' }
    expect(quietly(env).clientApiOverrides).toEqual(new Map())
  })

  test.each([
    ['http://synapse:8008', 'no "=" in item 1'],
    ['none', 'no "=" in item 1'],
    ['a.test=http://a, hunter2', 'no "=" in item 2'],
    ['=http://synapse:8008', 'no server name in item 1'],
    ['https://a.test=http://a', 'no server name in item 1'],
    ['a.test=http://a,a.test=http://b', 'the server name of item 2 twice'],
    ['a.test=wss://a', 'a URL without "http://" or "https://" in item 1'],
    ['a.test=', 'a URL without "http://" or "https://" in item 1'],
    ['a.test=http://user:hunter2@a', 'credentials in it as URL of item 1'],
    ['a.test=http://a?x=hunter2', 'a query or fragment in it as URL of item 1'],
  ])('refuses %p', (text, found) => {
    expect(problemsOf({ LIVEKIT_CS_API_URL_OVERRIDES: text })).toEqual([
      `LIVEKIT_CS_API_URL_OVERRIDES: found ${found}; ` +
        'expected "server=url" pairs such as "example.com=http://synapse:8008"',
    ])
  })
})

describe('LIVEKIT_STATE_FILE', () => {
  test('is memory by default', () => {
    expect(quietly({}).state).toEqual({ kind: 'memory' })
    expect(quietly({ LIVEKIT_STATE_FILE: ' ' }).state).toEqual({ kind: 'memory' })
  })

  test.each(['/data/state.sqlite', './state', '../state', '/data/a b', '/state'])(
    'is the file %p',
    (path) => {
      expect(quietly({ LIVEKIT_STATE_FILE: path }).state).toEqual({ kind: 'file', path })
    },
  )

  test.each([
    ['state.sqlite', 'something else'],
    [':memory:', 'something else'],
    ['file:///data/state.sqlite', 'something else'],
    ['redis://:hunter2@redis:6379', 'something else'],
    ['none', 'something else'],
    ['/data/state\n', 'something else'],
    ['/data/', 'a directory'],
    ['/', 'a directory'],
  ])('refuses %p', (text, found) => {
    expect(problemsOf({ LIVEKIT_STATE_FILE: text })).toEqual([
      `LIVEKIT_STATE_FILE: found ${found}; ` +
        'expected a path that begins with "/", "./" or "../", such as /data/state.sqlite',
    ])
  })

  test('is not set together with LIVEKIT_REDIS_URL', () => {
    const problem =
      'LIVEKIT_STATE_FILE: is set together with LIVEKIT_REDIS_URL; expected only one of them'
    const file = { LIVEKIT_STATE_FILE: '/data/state.sqlite' }
    expect(problemsOf({ ...file, LIVEKIT_REDIS_URL: 'redis://redis' })).toEqual([problem])
    const fromFile = { ...file, LIVEKIT_REDIS_URL_FROM_FILE: '/url' }
    expect(problemsOf(fromFile, { '/url': 'redis://redis' })).toEqual([problem])
  })

  test('has nothing against a password that is not used, but for a warning', () => {
    const env = { LIVEKIT_STATE_FILE: '/data/state', LIVEKIT_REDIS_PASSWORD: 'hunter2' }
    expect(load(env).config?.state).toEqual({ kind: 'file', path: '/data/state' })
    expect(warningsOf(env)).toEqual([
      'LIVEKIT_REDIS_PASSWORD: is ignored, since LIVEKIT_REDIS_URL is not set',
    ])
  })
})

describe('LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS', () => {
  test.each([
    ['', 0],
    ['0', 0],
    ['1', 1_000],
    ['86400', 86_400_000],
  ])('of %p is %p ms', (text, milliseconds) => {
    expect(quietly({ LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: text }).sanityCheckMs).toBe(
      milliseconds,
    )
  })

  test.each([
    ['86401', '86401'],
    ['-1', 'something else'],
    ['1.5', 'something else'],
    ['30s', 'something else'],
    ['off', 'something else'],
  ])('refuses %s', (text, found) => {
    expect(problemsOf({ LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: text })).toEqual([
      `LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: found ${found}; ` +
        'expected a whole number from 0 to 86400',
    ])
  })
})
