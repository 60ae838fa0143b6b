import { describe, expect, test } from 'bun:test'
import { load, problemsOf, quietly, warningsOf } from './loading.ts'

describe('LIVEKIT_FEDERATION_URL_OVERRIDES', () => {
  test('are none by default', () => {
    expect(quietly({}).federationOverrides).toEqual(new Map())
  })

  test.each([
    ['example.com=http://synapse:8008', [['example.com', 'http://synapse:8008']]],
    ['example.com=https://synapse/base//', [['example.com', 'https://synapse/base']]],
    [
      'example.com:8448=http://a:1, [::1]:8448=http://[::1]:8008\n10.0.0.1=http://c:3',
      [
        ['example.com:8448', 'http://a:1'],
        ['[::1]:8448', 'http://[::1]:8008'],
        ['10.0.0.1', 'http://c:3'],
      ],
    ],
  ] as const)('take %p', (text, overrides) => {
    const { federationOverrides } = quietly({ LIVEKIT_FEDERATION_URL_OVERRIDES: text })
    expect([...federationOverrides]).toEqual(overrides.map(([name, url]) => [name, url]))
  })

  test.each([
    ['http://synapse:8008', 'item 1 has no "="'],
    ['a.example=http://a:1,synapse', 'item 2 has no "="'],
    [
      'exa_mple.com=http://synapse:8008',
      'item 1 has a server name that contains a character other than letters, digits, ".", "-" and ":"',
    ],
    ['=http://synapse:8008', 'item 1 has no server name before its "="'],
    ['a.example=http://a:1,a.example=http://b:2', 'item 2 names the same server as one before'],
    ['example.com=', 'item 1 has no URL after its "="'],
    ['example.com=synapse:8008', 'item 1 has a URL that has no scheme'],
    ['example.com=ws://synapse:8008', 'item 1 has a URL that has another scheme'],
    [
      'example.com=http://user:hunter2@synapse:8008',
      'item 1 has a URL that has a user name or password in it',
    ],
    [
      'example.com=http://synapse:8008/?a=b',
      'item 1 has a URL that has a query or fragment, after "?" or "#"',
    ],
  ])('refuse %p', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_FEDERATION_URL_OVERRIDES: text })).toEqual([
      `LIVEKIT_FEDERATION_URL_OVERRIDES: ${wrong}; expected pairs "server=url", separated by commas or ` +
        'spaces, with "http://" or "https://", such as "example.com=http://synapse:8008"',
    ])
  })
})

describe('LIVEKIT_INSECURE_SKIP_VERIFY_TLS', () => {
  test('leaves certificates checked by default', () => {
    expect(quietly({}).verifyTls).toBe(true)
  })

  test.each(['true', '1', 'yes', 'yes_i_know_what_i_am_doing', ' YES_I_KNOW_WHAT_I_AM_DOING'])(
    'leaves certificates checked when it is %p, with a warning',
    (text) => {
      const env = { LIVEKIT_INSECURE_SKIP_VERIFY_TLS: text }
      expect(load(env).config?.verifyTls).toBe(true)
      expect(warningsOf(env)).toEqual([
        'LIVEKIT_INSECURE_SKIP_VERIFY_TLS: certificates are checked, ' +
          'since it is not "YES_I_KNOW_WHAT_I_AM_DOING"',
      ])
    },
  )

  test('turns the checks off with the one sentence alone, with a loud warning', () => {
    const env = { LIVEKIT_INSECURE_SKIP_VERIFY_TLS: 'YES_I_KNOW_WHAT_I_AM_DOING' }
    expect(load(env).config?.verifyTls).toBe(false)
    expect(warningsOf(env)).toEqual([
      'LIVEKIT_INSECURE_SKIP_VERIFY_TLS: CERTIFICATES OF HOMESERVERS ARE NOT CHECKED: ' +
        'anyone on the network path can pose as any user',
    ])
  })
})
