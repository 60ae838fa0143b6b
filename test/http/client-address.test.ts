import { describe, expect, test } from 'bun:test'
import { createClientLocator } from '../../src/http/client-address.ts'
import { LOCAL, type Network, parseNetwork } from '../../src/net/networks.ts'

function networks(...texts: string[]): Network[] {
  return texts.map(parseNetwork).filter((network) => network !== undefined)
}

function locate(peer: string, forwarded?: string, trusted: readonly Network[] = LOCAL) {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
  return createClientLocator(trusted)(new Request('http://localhost/', { headers }), peer)
}

function known(key: string) {
  return { kind: 'known', key } as const
}

describe('behind a trusted proxy the client is', () => {
  test.each([
    ['the only address', '203.0.113.7', '203.0.113.7'],
    ['the right-most address that is not trusted', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    ['not what the client itself claims', '10.0.0.1, 203.0.113.7, 10.0.0.9', '203.0.113.7'],
    ['found behind a chain of proxies', '203.0.113.7, 10.0.0.1,192.168.1.1', '203.0.113.7'],
    ['an address with a port', '203.0.113.7:4711', '203.0.113.7'],
    ['the /64 of an IPv6 address', '2a00:1450:4001:81b::200e', '42.0.20.80.64.1.8.27/64'],
    ['the same for its neighbours', '[2a00:1450:4001:81b:1:2:3:4]:99', '42.0.20.80.64.1.8.27/64'],
    ['an IPv4 address in the form of an IPv6 one', '::ffff:203.0.113.7', '203.0.113.7'],
  ])('%s: %p', (_what, header, key) => {
    expect(locate('127.0.0.1', header)).toEqual(known(key))
    expect(locate('::ffff:127.0.0.1', header)).toEqual(known(key))
    expect(locate('172.18.0.2', header)).toEqual(known(key))
  })

  test('the left-most of trusted addresses, where there is no other', () => {
    expect(locate('127.0.0.1', '10.0.0.1, 10.0.0.2')).toEqual({
      ...{ kind: 'private', key: '10.0.0.1', address: '10.0.0.1', proxy: '127.0.0.1' },
    })
  })

  test('found among the last ten addresses, however long the header is', () => {
    const header = `${'203.0.113.9,'.repeat(500)}203.0.113.7`
    expect(locate('127.0.0.1', header)).toEqual(known('203.0.113.7'))
  })
})

test.each([undefined, '', ' ', 'unknown', '203.0.113.7, unknown', 'example.com', '1.2.3', '::g'])(
  'a trusted proxy hides its clients when it sends %p',
  (header) => {
    expect(locate('10.0.0.5', header)).toEqual({ kind: 'hidden', proxy: '10.0.0.5' })
  },
)

test('a peer that is not trusted never names its own address', () => {
  expect(locate('203.0.113.9', '198.51.100.1')).toEqual(known('203.0.113.9'))
  expect(locate('203.0.113.9', undefined)).toEqual(known('203.0.113.9'))
  const { key } = locate('2a00:1450:4001:81b::1', '198.51.100.1') as { key: string }
  expect(key).toBe('42.0.20.80.64.1.8.27/64')
})

test('only the networks that the operator lists are trusted', () => {
  const own = networks('203.0.113.0/24')
  expect(locate('203.0.113.9', '198.51.100.1', own)).toEqual(known('198.51.100.1'))
  expect(locate('127.0.0.1', '198.51.100.1', own)).toEqual({
    kind: 'private',
    key: '127.0.0.1',
    address: '127.0.0.1',
    proxy: undefined,
  })
  expect(locate('10.0.0.1', undefined, [])).toMatchObject({ kind: 'private', key: '10.0.0.1' })
})
