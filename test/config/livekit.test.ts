import { describe, expect, test } from 'bun:test'
import { problemsOf, quietly } from './loading.ts'

describe('LIVEKIT_URL', () => {
  test.each([
    'wss://livekit.example.com',
    'ws://127.0.0.1:7880',
    'https://livekit.example.com/',
    'http://livekit:7880',
    'wss://example.com/livekit/sfu',
    'WSS://Livekit.Example.com/Path/',
    'ws://[::1]:7880',
  ])('is kept as written: %s', (url) => {
    const config = quietly({ LIVEKIT_URL: url })
    expect(config.liveKitUrl).toBe(url)
    expect(config.liveKitInternalUrl).toBe(url)
  })

  test.each([undefined, '', '  '])('is required: %p', (url) => {
    expect(problemsOf({ LIVEKIT_URL: url })).toEqual([
      "LIVEKIT_URL: is not set; expected the SFU's WebSocket URL as clients reach it; handed out unchanged",
    ])
  })

  const expected = 'expected a URL with wss, ws, https, http, such as wss://example.com'

  test.each([
    'livekit.example.com',
    'ftp://livekit.example.com',
    'wss:livekit.example.com',
    'wss:///path',
    'wss://',
    'wss://livekit example.com',
    'wss://livekit.example.com ',
    'wss://livekit.example.com\\path',
    'wss://livekit.example.com:99999',
    'redis://livekit.example.com',
    // Not of a port variable, so that it is no matter of Kubernetes.
    'tcp://10.0.0.1:7880',
  ])('must be a URL: %p', (url) => {
    expect(problemsOf({ LIVEKIT_URL: url })).toEqual([
      `LIVEKIT_URL: found something else; ${expected}`,
    ])
  })

  test('has no credentials in it', () => {
    expect(problemsOf({ LIVEKIT_URL: 'wss://key:hunter2@livekit.example.com' })).toEqual([
      `LIVEKIT_URL: found credentials in it; ${expected}`,
    ])
  })

  test.each(['wss://livekit.example.com?access_token=hunter2', 'wss://livekit.example.com/#'])(
    'has no query and no fragment: %s',
    (url) => {
      expect(problemsOf({ LIVEKIT_URL: url })).toEqual([
        `LIVEKIT_URL: found a query or fragment in it; ${expected}`,
      ])
    },
  )
})

describe('LIVEKIT_INTERNAL_URL', () => {
  test('is where the service reaches the SFU, and not handed out', () => {
    const config = quietly({ LIVEKIT_INTERNAL_URL: 'http://livekit:7880/sfu' })
    expect(config.liveKitInternalUrl).toBe('http://livekit:7880/sfu')
    expect(config.liveKitUrl).toBe('wss://livekit.example.com')
  })

  test('must be a URL', () => {
    expect(problemsOf({ LIVEKIT_INTERNAL_URL: 'livekit:7880' })).toEqual([
      'LIVEKIT_INTERNAL_URL: found something else; ' +
        'expected a URL with wss, ws, https, http, such as wss://example.com',
    ])
  })
})

describe('LIVEKIT_TOKEN_TTL_SECONDS', () => {
  test('is an hour by default', () => {
    expect(quietly({}).tokenTtlSeconds).toBe(3600)
    expect(quietly({ LIVEKIT_TOKEN_TTL_SECONDS: '' }).tokenTtlSeconds).toBe(3600)
  })

  test.each([
    ['60', 60],
    ['86400', 86_400],
    ['0090', 90],
  ])('takes %s', (text, seconds) => {
    expect(quietly({ LIVEKIT_TOKEN_TTL_SECONDS: text }).tokenTtlSeconds).toBe(seconds)
  })

  test.each([
    ['59', '59'],
    ['86401', '86401'],
    ['-60', 'something else'],
    ['1h', 'something else'],
    ['60.5', 'something else'],
    ['1e3', 'something else'],
    ['0x100', 'something else'],
    ['3600000000000', 'something else'],
  ])('refuses %s', (text, found) => {
    expect(problemsOf({ LIVEKIT_TOKEN_TTL_SECONDS: text })).toEqual([
      `LIVEKIT_TOKEN_TTL_SECONDS: found ${found}; expected a whole number from 60 to 86400`,
    ])
  })
})

describe.each([
  ['LIVEKIT_CAN_UPDATE_OWN_METADATA', 'canUpdateOwnMetadata', false],
  ['LIVEKIT_RESTRICTED_CAN_PUBLISH', 'restrictedCanPublish', true],
] as const)('%s', (variable, member, byDefault) => {
  test(`is ${byDefault} by default`, () => {
    expect(quietly({})[member]).toBe(byDefault)
    expect(quietly({ [variable]: '' })[member]).toBe(byDefault)
  })

  test.each(['true', 'TRUE', '1', 't', 'yes', 'on'])('is turned on by %s', (text) => {
    expect(quietly({ [variable]: text })[member]).toBe(true)
  })

  test.each(['false', 'False', '0', 'f', 'no', 'off'])('is turned off by %s', (text) => {
    expect(quietly({ [variable]: text })[member]).toBe(false)
  })

  test.each(['maybe', '2', 'true false'])('refuses %p', (text) => {
    expect(problemsOf({ [variable]: text })).toEqual([
      `${variable}: found something else; expected "true" or "false"`,
    ])
  })
})
