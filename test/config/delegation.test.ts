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
    ['http://synapse:8008', 'item 1 has no "="'],
    ['none', 'item 1 has no "="'],
    ['a.test=http://a, hunter2', 'item 2 has no "="'],
    ['=http://synapse:8008', 'item 1 has no server name before its "="'],
    ['https://a.test=http://a', 'item 1 has a server name that is a URL'],
    ['a.test=http://a,a.test=http://b', 'item 2 names the same server as one before'],
    ['a.test=wss://a', 'item 1 has a URL that has another scheme'],
    ['a.test=', 'item 1 has no URL after its "="'],
    ['"a.test=http://a"', 'is in quotes'],
    ['a.test=http://user:hunter2@a', 'item 1 has a URL that has a user name or password in it'],
    [
      'a.test=http://a?x=hunter2',
      'item 1 has a URL that has a query or fragment, after "?" or "#"',
    ],
  ])('refuses %p', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_CS_API_URL_OVERRIDES: text })).toEqual([
      `LIVEKIT_CS_API_URL_OVERRIDES: ${wrong}; expected pairs "server=url", separated by commas or ` +
        'spaces, with "http://" or "https://", such as "example.com=http://synapse:8008"',
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
    ['state.sqlite', 'does not begin like a path'],
    [':memory:', 'does not begin like a path'],
    ['file:///data/state.sqlite', 'is a URL'],
    ['redis://:hunter2@redis:6379', 'is a URL'],
    ['none', 'does not begin like a path'],
    ['/data/state\n', 'contains a line break'],
    [' /data/state', 'begins with a space'],
    ['"/data/state"', 'is in quotes'],
    ['/data/', 'is the path of a directory'],
    ['/', 'is the path of a directory'],
  ])('refuses %p', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_STATE_FILE: text })).toEqual([
      `LIVEKIT_STATE_FILE: ${wrong}; ` +
        'expected a path that begins with "/", "./" or "../", such as "/data/state.sqlite"',
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
    ['86401', 'is 86401, above 86400'],
    ['-1', 'is negative'],
    ['1.5', 'is not a whole number'],
    ['30s', 'has letters behind the number'],
    ['off', 'is not a whole number'],
  ])('refuses %s', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: text })).toEqual([
      `LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: ${wrong}; ` +
        'expected a whole number of seconds from 0 to 86400, such as "60"',
    ])
  })
})
