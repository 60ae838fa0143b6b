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
      "LIVEKIT_URL: is not set; expected the SFU's WebSocket URL as clients reach it, " +
        'such as "wss://matrix-rtc.example.com/livekit/sfu"',
    ])
  })

  const query = 'has a query or fragment, after "?" or "#"'

  test.each([
    ['livekit.example.com', 'has no scheme'],
    ['livekit:7880', 'has no scheme'],
    ['wss:livekit.example.com', 'has no "//" after its scheme'],
    ['ftp://livekit.example.com', 'has another scheme'],
    ['redis://livekit.example.com', 'has another scheme'],
    // Not of a port variable, so that it is no matter of Kubernetes.
    ['tcp://10.0.0.1:7880', 'has another scheme'],
    ['wss:///path', 'has no host'],
    ['wss://', 'has no host'],
    ['wss://:7880', 'has no host'],
    ['wss://[::1', 'has a host that is not valid'],
    ['wss://livekit.example.com:99999', 'has a port above 65535'],
    ['wss://livekit.example.com:port', 'has a port that is not a number'],
    ['wss://livekit example.com', 'contains a space'],
    ['wss://livekit.example.com ', 'begins or ends with a space'],
    ['"wss://livekit.example.com"', 'is in quotes'],
    ['wss://livekit.example.com\\path', 'contains a backslash'],
    ['wss://key:hunter2@livekit.example.com', 'has a user name or password in it'],
    ['wss://livekit.example.com?access_token=hunter2', query],
    ['wss://livekit.example.com/#', query],
  ])('must not be %p', (url, wrong) => {
    expect(problemsOf({ LIVEKIT_URL: url })).toEqual([
      `LIVEKIT_URL: ${wrong}; expected a URL that begins with "wss://", "ws://", "https://" or ` +
        '"http://", such as "wss://matrix-rtc.example.com/livekit/sfu"',
    ])
  })
})

describe('LIVEKIT_INTERNAL_URL', () => {
  test('is where the service reaches the SFU, and not handed out', () => {
    const config = quietly({ LIVEKIT_INTERNAL_URL: 'http://livekit:7880/sfu' })
    expect(config.liveKitInternalUrl).toBe('http://livekit:7880/sfu')
    expect(config.liveKitUrl).toBe('wss://livekit.example.com')
  })

  test('must be a URL', () => {
    expect(problemsOf({ LIVEKIT_INTERNAL_URL: 'livekit:7880' })).toEqual([
      'LIVEKIT_INTERNAL_URL: has no scheme; expected a URL that begins with "wss://", "ws://", ' +
        '"https://" or "http://", such as "http://livekit:7880"',
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
    ['0000000090', 90],
  ])('takes %s', (text, seconds) => {
    expect(quietly({ LIVEKIT_TOKEN_TTL_SECONDS: text }).tokenTtlSeconds).toBe(seconds)
  })

  test.each([
    ['5', 'is 5, below 60'],
    ['59', 'is 59, below 60'],
    ['86401', 'is 86401, above 86400'],
    ['3600000000000', 'is above 86400'],
    ['-60', 'is negative'],
    ['1h', 'has letters behind the number'],
    ['60 seconds', 'has letters behind the number'],
    ['60.5', 'is not a whole number'],
    ['1e3', 'is not a whole number'],
    ['0x100', 'is not a whole number'],
    ['"60"', 'is in quotes'],
  ])('refuses %s', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_TOKEN_TTL_SECONDS: text })).toEqual([
      `LIVEKIT_TOKEN_TTL_SECONDS: ${wrong}; ` +
        'expected a whole number of seconds from 60 to 86400, such as "3600"',
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

  test.each([
    ['maybe', 'is neither true nor false'],
    ['2', 'is neither true nor false'],
    ['true false', 'contains a space'],
  ])('refuses %p', (text, wrong) => {
    expect(problemsOf({ [variable]: text })).toEqual([
      `${variable}: ${wrong}; expected "true" or "false"`,
    ])
  })
})
