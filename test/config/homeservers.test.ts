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
    ['http://synapse:8008', 'no "=" in item 1'],
    ['a.example=http://a:1,synapse', 'no "=" in item 2'],
    ['exa_mple.com=http://synapse:8008', 'no server name in item 1'],
    ['=http://synapse:8008', 'no server name in item 1'],
    ['a.example=http://a:1,a.example=http://b:2', 'the server name of item 2 twice'],
    ['example.com=', 'a URL without "http://" or "https://" in item 1'],
    ['example.com=synapse:8008', 'a URL without "http://" or "https://" in item 1'],
    ['example.com=ws://synapse:8008', 'a URL without "http://" or "https://" in item 1'],
    ['example.com=http://user:hunter2@synapse:8008', 'credentials in it as URL of item 1'],
    ['example.com=http://synapse:8008/?a=b', 'a query or fragment in it as URL of item 1'],
  ])('refuse %p', (text, found) => {
    expect(problemsOf({ LIVEKIT_FEDERATION_URL_OVERRIDES: text })).toEqual([
      `LIVEKIT_FEDERATION_URL_OVERRIDES: found ${found}; ` +
        'expected "server=url" pairs such as "example.com=http://synapse:8008"',
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
