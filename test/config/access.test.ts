import { describe, expect, test } from 'bun:test'
import { NOT_PUBLIC, NOT_PUBLIC_NOR_LOCAL, OWN_MACHINE } from '../../src/net/networks.ts'
import { load, problemsOf, quietly, warningsOf } from './loading.ts'

const everyone =
  'LIVEKIT_FULL_ACCESS_HOMESERVERS: is not set: users of every homeserver may start calls'
const open =
  'LIVEKIT_FEDERATION_DENY_NETWORKS: leaves out private networks while ' +
  'LIVEKIT_FULL_ACCESS_HOMESERVERS is "*": anyone may make the service send requests into them; ' +
  'name your homeservers there to close this'

describe('LIVEKIT_FULL_ACCESS_HOMESERVERS', () => {
  test('is everyone by default, with a warning', () => {
    const env = { LIVEKIT_FULL_ACCESS_HOMESERVERS: undefined }
    expect(load(env).config?.fullAccess).toBe('*')
    expect(warningsOf(env)).toEqual([everyone, open])
  })

  test.each(['*', ' * ', '*,'])('is everyone when it is %p', (text) => {
    const env = { LIVEKIT_FULL_ACCESS_HOMESERVERS: text }
    expect(load(env).config?.fullAccess).toBe('*')
    expect(warningsOf(env)).toEqual([open])
  })

  test.each([
    'example.com,matrix.example.org:8448,[::1]:8448,10.0.0.1',
    'example.com matrix.example.org:8448 [::1]:8448 10.0.0.1',
    ' example.com, matrix.example.org:8448,\n\t[::1]:8448 ,, 10.0.0.1,',
  ])('takes names separated by commas, spaces or both: %p', (text) => {
    expect(quietly({ LIVEKIT_FULL_ACCESS_HOMESERVERS: text }).fullAccess).toEqual(
      new Set(['example.com', 'matrix.example.org:8448', '[::1]:8448', '10.0.0.1']),
    )
  })

  test.each([
    ['example.com,*', 'has "*" beside other names'],
    ['* *', 'has "*" beside other names'],
    [',', 'has no name in it'],
    ['"example.com"', 'is in quotes'],
    ['https://example.com', 'item 1 is a URL'],
    [
      'example.com, exa_mple.org, *.example.com, example.net',
      'item 2 contains a character other than letters, digits, ".", "-" and ":", ' +
        'and item 3 contains "*"',
    ],
    ['example.com:0', 'item 1 has a port that is not from 1 to 65535'],
    ['@alice:example.com', 'item 1 is a user ID'],
    ['::1', 'item 1 is an IPv6 address without brackets'],
    ['example.com 127.1', 'item 2 is not a server name'],
  ])('refuses %p', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_FULL_ACCESS_HOMESERVERS: text })).toEqual([
      `LIVEKIT_FULL_ACCESS_HOMESERVERS: ${wrong}; expected "*" alone for all, or server names ` +
        'separated by commas or spaces, such as "example.com,example.org"',
    ])
  })
})

describe('LIVEKIT_LOCAL_HOMESERVERS', () => {
  const deprecated = 'LIVEKIT_LOCAL_HOMESERVERS: is deprecated, use LIVEKIT_FULL_ACCESS_HOMESERVERS'

  test('still works, with a warning', () => {
    const env = {
      LIVEKIT_FULL_ACCESS_HOMESERVERS: undefined,
      LIVEKIT_LOCAL_HOMESERVERS: 'example.org',
    }
    expect(load(env).config?.fullAccess).toEqual(new Set(['example.org']))
    expect(warningsOf(env)).toEqual([deprecated])
  })

  test('loses against the newer name, with a warning', () => {
    const env = { LIVEKIT_LOCAL_HOMESERVERS: 'example.org' }
    expect(load(env).config?.fullAccess).toEqual(new Set(['example.com']))
    expect(warningsOf(env)).toEqual([
      'LIVEKIT_LOCAL_HOMESERVERS: is ignored, since LIVEKIT_FULL_ACCESS_HOMESERVERS is set',
    ])
  })

  test('is named in problems with its value', () => {
    const env = { LIVEKIT_FULL_ACCESS_HOMESERVERS: undefined, LIVEKIT_LOCAL_HOMESERVERS: 'a b,*' }
    expect(problemsOf(env)).toEqual([
      'LIVEKIT_LOCAL_HOMESERVERS: has "*" beside other names; expected "*" alone for all, or server ' +
        'names separated by commas or spaces, such as "example.com,example.org"',
    ])
  })
})

describe('the networks that discovery may not lead to', () => {
  const listed = { LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com' }
  const all = { LIVEKIT_FULL_ACCESS_HOMESERVERS: '*' }

  test('are all that are not public, while full access is for servers by name', () => {
    expect(quietly(listed).addressPolicy).toEqual({ denied: NOT_PUBLIC, allowed: [] })
  })

  test('leave out private ones while everyone has full access, with a warning', () => {
    expect(load(all).config?.addressPolicy).toEqual({ denied: NOT_PUBLIC_NOR_LOCAL, allowed: [] })
    expect(warningsOf(all)).toEqual([open])
  })

  test('are those that the operator names, whoever has full access', () => {
    const networks = { LIVEKIT_FEDERATION_DENY_NETWORKS: '10.0.0.0/8, fd00::/8 192.0.2.1' }
    for (const access of [listed, all]) {
      const { addressPolicy } = quietly({ ...access, ...networks })
      const denied = addressPolicy.denied.map(({ cidr }) => cidr)
      expect(denied.slice(0, 3)).toEqual(['10.0.0.0/8', 'fd00::/8', '192.0.2.1/32'])
      expect(addressPolicy.denied.slice(3)).toEqual([...OWN_MACHINE])
    }
  })

  test('are none when the operator says so', () => {
    const env = { ...all, LIVEKIT_FEDERATION_DENY_NETWORKS: 'None' }
    expect(quietly(env).addressPolicy).toEqual({ denied: [], allowed: [] })
  })

  test('have the exceptions that the operator names', () => {
    const env = { LIVEKIT_FEDERATION_ALLOW_NETWORKS: '10.1.2.3,fd00::1' }
    const { addressPolicy } = quietly(env)
    expect(addressPolicy.denied).toBe(NOT_PUBLIC)
    expect(addressPolicy.allowed.map(({ cidr }) => cidr)).toEqual(['10.1.2.3/32', 'fd00::1/128'])
  })

  test.each([
    ['10.0.0.0/33', 'item 1 has no prefix length from 0 to 32 after its "/"'],
    ['fd00::/8,fd00::/129', 'item 2 has no prefix length from 0 to 128 after its "/"'],
    ['10.0.0.0/8,localhost', 'item 2 is neither an IP address nor a network'],
    ['10.0.0.0/8,none', 'item 2 is "none" beside others'],
    ['10/8', 'item 1 is not an IPv4 address with all its four parts'],
    ['10.1', 'item 1 is not an IPv4 address with all its four parts'],
    [',', 'has no network in it'],
    ["'10.0.0.0/8'", 'is in quotes'],
  ])('refuse %p', (text, wrong) => {
    const expected = 'expected "none", or IP addresses and networks separated by commas or spaces'
    expect(problemsOf({ LIVEKIT_FEDERATION_DENY_NETWORKS: text })).toEqual([
      `LIVEKIT_FEDERATION_DENY_NETWORKS: ${wrong}; ${expected}, such as "10.0.0.0/8,fd00::/8"`,
    ])
    expect(problemsOf({ LIVEKIT_FEDERATION_ALLOW_NETWORKS: text })).toEqual([
      `LIVEKIT_FEDERATION_ALLOW_NETWORKS: ${wrong}; ${expected}, such as "10.1.2.3,fd00::/64"`,
    ])
  })
})
