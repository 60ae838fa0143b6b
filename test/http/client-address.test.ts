import { describe, expect, test } from 'bun:test'
import { type Client, createClientLocator } from '../../src/http/client-address.ts'
import { LOCAL, type Network, parseNetwork } from '../../src/net/networks.ts'

function networks(...texts: readonly string[]): Network[] {
  return texts.map((text) => parseNetwork(text)).filter((network) => network !== undefined)
}

/** Where a request comes from; each item is a header of its own. */
function locate(peer: string, headers: readonly string[], trusted: readonly Network[] = LOCAL) {
  const request = new Request('http://localhost/get_token')
  for (const header of headers) request.headers.append('X-Forwarded-For', header)
  return createClientLocator(trusted)(request, peer)
}

const known = (key: string): Client => ({ kind: 'known', key })
const hidden = (proxy: string): Client => ({ kind: 'hidden', proxy })

describe('an untrusted peer', () => {
  test.each([
    ['nothing', []],
    ['another address', ['1.2.3.4']],
    ['a private address', ['10.0.0.1']],
    ['loopback', ['127.0.0.1, ::1']],
    ['itself', ['8.8.4.4']],
    ['nonsense', ['unknown']],
  ])('is who it is, whatever it claims: %s', (_, headers) => {
    expect(locate('8.8.4.4', headers)).toEqual(known('8.8.4.4'))
  })

  test('stays it when only its neighbours are trusted', () => {
    const trusted = networks('8.8.4.0/30', '2001:4860::/112')
    expect(locate('8.8.4.4', ['1.2.3.4'], trusted)).toEqual(known('8.8.4.4'))
    expect(locate('2001:4860::1:1', ['1.2.3.4'], trusted)).toEqual(known('32.1.72.96.0.0.0.0/64'))
  })

  test.each(['127.0.0.1', '10.1.2.3', '192.168.1.1', '::1', 'fe80::1', 'fd00::1'])(
    'of a private address says so: %s',
    (peer) => {
      const client = locate(peer, ['1.2.3.4'], [])
      expect(client).toMatchObject({ kind: 'private', address: peer, proxy: undefined })
    },
  )
})

describe('a trusted proxy names', () => {
  test.each([
    ['one address', ['1.2.3.4'], '1.2.3.4'],
    ['what a client claimed before it', ['9.9.9.9, 1.2.3.4'], '1.2.3.4'],
    ['nonsense that a client claimed before it', ['<script>, , x, 1.2.3.4'], '1.2.3.4'],
    ['another proxy behind it', ['1.2.3.4, 10.0.0.7'], '1.2.3.4'],
    ['a chain of proxies', ['9.9.9.9, 1.2.3.4, 10.0.0.7, 192.168.0.1, fd00::1, ::1'], '1.2.3.4'],
    ['addresses without spaces, as Envoy', ['9.9.9.9,1.2.3.4,10.0.0.7'], '1.2.3.4'],
    ['addresses in many headers, as HAProxy', ['9.9.9.9', '1.2.3.4', '10.0.0.7'], '1.2.3.4'],
    ['an address after an empty header', ['', '1.2.3.4'], '1.2.3.4'],
    ['spaces and tabs', [' \t1.2.3.4\t '], '1.2.3.4'],
    ['a port, as Azure', ['1.2.3.4:50123'], '1.2.3.4'],
    ['an IPv4 address as IPv6', ['::ffff:1.2.3.4'], '1.2.3.4'],
    ['the same in hexadecimal', ['::ffff:102:304'], '1.2.3.4'],
    ['the same in capitals, with a port', ['[::FFFF:1.2.3.4]:443'], '1.2.3.4'],
    ['an IPv6 address', ['2606:4700::1'], '38.6.71.0.0.0.0.0/64'],
    ['an IPv6 address in brackets', ['[2606:4700::1]'], '38.6.71.0.0.0.0.0/64'],
    ['an IPv6 address with a port', ['[2606:4700::1]:443'], '38.6.71.0.0.0.0.0/64'],
    ['an IPv6 address in full', ['2606:4700:0:0:ffff:ffff:ffff:ffff'], '38.6.71.0.0.0.0.0/64'],
    ['an IPv6 address of the next /64', ['2606:4700:0:1::1'], '38.6.71.0.0.0.0.1/64'],
    ['a very long chain', [`${'9.9.9.9, '.repeat(100_000)}1.2.3.4`], '1.2.3.4'],
    ['a very long claim', [`${'x'.repeat(1_000_000)}, 1.2.3.4`], '1.2.3.4'],
  ])('%s', (_, headers, key) => {
    expect(locate('127.0.0.1', headers)).toEqual(known(key))
  })

  test.each([
    ['no header', []],
    ['an empty header', ['']],
    ['only commas', [', ,']],
    ['"unknown", as Squid', ['unknown']],
    ['"unix:", as nginx behind a socket', ['unix:']],
    ['a host name', ['client.example.com']],
    ['too many parts', ['1.2.3.4.5']],
    ['too few parts', ['1.2.3']],
    ['octal parts', ['01.02.03.04']],
    ['a network', ['1.2.3.0/24']],
    ['a port without an address', [':443']],
    ['half a bracket', ['[2606:4700::1']],
    ['a quoted address', ['"1.2.3.4"']],
    ['nonsense at the end', ['1.2.3.4, x']],
    ['nothing at the end', ['1.2.3.4,']],
  ])('nobody by %s, and hides its clients', (_, headers) => {
    expect(locate('127.0.0.1', headers)).toEqual(hidden('127.0.0.1'))
  })

  test.each([
    ['of a network that hides addresses', ['172.18.0.1'], '172.18.0.1'],
    ['first of a chain', ['192.168.1.9, 10.0.0.7'], '192.168.1.9'],
    ['behind which nonsense was written', ['x, 10.0.0.7'], '10.0.0.7'],
    ['behind which there are proxies and nonsense', ['x, 10.0.0.7, 10.0.0.8'], '10.0.0.7'],
    ['tenth of a longer chain', [Array(50).fill('10.0.0.7').join()], '10.0.0.7'],
  ])('a private address: %s', (_, headers, address) => {
    const proxy = '127.0.0.1'
    expect(locate(proxy, headers)).toEqual({ kind: 'private', key: address, address, proxy })
  })

  test.each(['fe80::1%eth0', 'fe80::1%eth0.100', 'fe80::1%br-1a2b', '[fe80::1%2]:80'])(
    'a zone, which counts for nothing: %s',
    (header) => {
      expect(locate('127.0.0.1', [header])).toMatchObject({ key: '254.128.0.0.0.0.0.0/64' })
    },
  )
})

test.each([
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['::ffff:7f00:1', '127.0.0.1'],
  ['::1', '::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['fd00::1%eth0.100', 'fd00::1'],
])('knows a trusted proxy that connects from %s', (peer, proxy) => {
  expect(locate(peer, ['1.2.3.4'])).toEqual(known('1.2.3.4'))
  expect(locate(peer, [])).toEqual(hidden(proxy))
})

test('trusts exactly the networks that it is told to', () => {
  const trusted = networks('10.0.0.0/8', '104.16.0.0/13')
  const header = ['9.9.9.9, 1.2.3.4, 104.16.0.9']
  expect(locate('10.0.0.7', header, trusted)).toEqual(known('1.2.3.4'))
  expect(locate('10.0.0.7', header)).toEqual(known('104.16.0.9'))
  expect(locate('192.168.0.1', header, trusted)).toMatchObject({ address: '192.168.0.1' })
})
