import { expect, test } from 'bun:test'
import { isIP } from 'node:net'
import fc from 'fast-check'
import {
  ALLOW_ALL,
  denyingNetwork,
  isAddress,
  type Network,
  NOT_PUBLIC,
  NOT_PUBLIC_NOR_LOCAL,
  OWN_MACHINE,
  parseNetwork,
} from '../../src/net/networks.ts'

function network(text: string): Network {
  const parsed = parseNetwork(text)
  if (parsed === undefined) throw new Error(`not a network: ${text}`)
  return parsed
}

function denies(address: string, denied: readonly Network[], allowed: readonly Network[] = []) {
  return denyingNetwork(address, { denied, allowed })?.cidr
}

for (const [address, cidr] of [
  ['0.0.0.0', '0.0.0.0/8'],
  ['10.1.2.3', '10.0.0.0/8'],
  ['100.64.0.1', '100.64.0.0/10'],
  ['100.127.255.255', '100.64.0.0/10'],
  ['127.0.0.1', '127.0.0.0/8'],
  ['127.255.255.254', '127.0.0.0/8'],
  ['169.254.169.254', '169.254.0.0/16'],
  ['172.16.0.1', '172.16.0.0/12'],
  ['172.31.255.255', '172.16.0.0/12'],
  ['192.0.0.1', '192.0.0.0/24'],
  ['192.0.2.1', '192.0.2.0/24'],
  ['192.168.1.1', '192.168.0.0/16'],
  ['198.18.0.1', '198.18.0.0/15'],
  ['198.51.100.1', '198.51.100.0/24'],
  ['203.0.113.1', '203.0.113.0/24'],
  ['224.0.0.1', '224.0.0.0/4'],
  ['239.255.255.255', '224.0.0.0/4'],
  ['240.0.0.1', '240.0.0.0/4'],
  ['255.255.255.255', '240.0.0.0/4'],
  ['::', '::/10'],
  ['::1', '::/10'],
  ['100::1', '100::/8'],
  ['100:1::', '100::/8'],
  ['::2:0:0:0', '::/10'],
  ['3f:ffff::', '::/10'],
  ['2001::1', '2001::/23'],
  ['2001:db8::1', '2001:db8::/32'],
  ['2002:7f00:1::', '2002::/16'],
  ['3fff::1', '3fff::/20'],
  ['fc00::1', 'fc00::/7'],
  ['fd12:3456::1', 'fc00::/7'],
  ['fe80::1', 'fe80::/10'],
  ['fec0::1', 'fec0::/10'],
  ['ff02::1', 'ff00::/8'],
  ['64:ff9b:1::1', '64:ff9b:1::/48'],
  ['::ffff:127.0.0.1', '127.0.0.0/8'],
  ['::ffff:a01:203', '10.0.0.0/8'],
  ['::ffff:0:127.0.0.1', '::/10'],
  // As resolvers write ::808:808.
  ['::8.8.8.8', '::/10'],
  ['64:ff9b::10.0.0.1', '10.0.0.0/8'],
  ['64:ff9b::a9fe:a9fe', '169.254.0.0/16'],
] as const) {
  test(`${address} is not public`, () => {
    expect(denies(address, NOT_PUBLIC)).toBe(cidr)
  })
}

for (const address of [
  '1.1.1.1',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '192.169.0.0',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00:1450::1',
  '::ffff:1.1.1.1',
  '64:ff9b::1.1.1.1',
]) {
  test(`${address} is public`, () => {
    expect(denies(address, NOT_PUBLIC)).toBeUndefined()
  })
}

for (const address of ['10.0.0.1', '172.16.0.1', '192.168.0.1', '100.64.0.1', 'fd00::1']) {
  test(`${address} is local: not public, yet permitted while every homeserver may start calls`, () => {
    expect(denies(address, NOT_PUBLIC)).toBeDefined()
    expect(denies(address, NOT_PUBLIC_NOR_LOCAL)).toBeUndefined()
  })
}

for (const address of ['127.0.0.1', '169.254.169.254', '::1', 'fe80::1', '::ffff:127.0.0.1']) {
  test(`${address} is permitted to nobody by default`, () => {
    expect(denies(address, NOT_PUBLIC_NOR_LOCAL)).toBeDefined()
  })
}

for (const [address, cidr] of [
  ['0.0.0.0', '0.0.0.0/8'],
  ['127.0.0.1', '127.0.0.0/8'],
  ['169.254.169.254', '169.254.0.0/16'],
  ['::', '::/128'],
  ['::1', '::1/128'],
  ['fe80::1', 'fe80::/10'],
  ['::ffff:127.0.0.1', '127.0.0.0/8'],
  ['::ffff:a9fe:a9fe', '169.254.0.0/16'],
  ['::127.0.0.1', '127.0.0.0/8'],
  ['::ffff:0:169.254.169.254', '169.254.0.0/16'],
  ['64:ff9b::a9fe:a9fe', '169.254.0.0/16'],
  ['2002:7f00:1::', '2002:7f00::/24'],
  ['2002:a9fe:a9fe::', '2002:a9fe::/32'],
] as const) {
  test(`${address} leads to the machine itself`, () => {
    expect(denies(address, OWN_MACHINE)).toBe(cidr)
  })
}

test('the operator may permit addresses that do not lead to the machine itself', () => {
  for (const address of ['10.0.0.1', 'fd00::1', '64:ff9b::10.0.0.1', '2002:a00:1::']) {
    expect(denies(address, OWN_MACHINE)).toBeUndefined()
  }
})

test('an exception permits what it covers, in every form of the address, and no more', () => {
  const allowed = [network('10.0.5.0/24'), network('::1')]
  expect(denies('10.0.5.9', NOT_PUBLIC, allowed)).toBeUndefined()
  expect(denies('::ffff:10.0.5.9', NOT_PUBLIC, allowed)).toBeUndefined()
  expect(denies('64:ff9b::10.0.5.9', NOT_PUBLIC, allowed)).toBeUndefined()
  expect(denies('::1', NOT_PUBLIC, allowed)).toBeUndefined()
  expect(denies('10.0.6.9', NOT_PUBLIC, allowed)).toBe('10.0.0.0/8')
  expect(denies('::2', NOT_PUBLIC, allowed)).toBe('::/10')
})

test.each([
  ['::ffff:10.0.0.0/104', '10.255.0.1', '11.0.0.1'],
  ['::ffff:10.0.5.0/120', '10.0.5.9', '10.0.6.9'],
  ['::ffff:a00:509', '10.0.5.9', '10.0.5.10'],
  ['::ffff:0:0/96', '255.255.255.255', '2606:4700::1111'],
])(
  'the network %s holds the IPv4 address %s in every form, and not %s',
  (text, inside, outside) => {
    const denied = [network(text)]
    expect(denies(inside, denied)).toBe(network(text).cidr)
    expect(denies(`::ffff:${inside}`, denied)).toBe(network(text).cidr)
    expect(denies(outside, denied)).toBeUndefined()
    expect(denies(inside, NOT_PUBLIC, denied)).toBeUndefined()
  },
)

test('a policy without denied networks permits every address', () => {
  expect(denyingNetwork('127.0.0.1', ALLOW_ALL)).toBeUndefined()
  expect(denyingNetwork('::1', ALLOW_ALL)).toBeUndefined()
})

test('parses networks and single addresses', () => {
  expect(network('10.0.0.0/8').cidr).toBe('10.0.0.0/8')
  expect(network('10.0.0.1').cidr).toBe('10.0.0.1/32')
  expect(network('fd00::/8').cidr).toBe('fd00::/8')
  expect(network('::1').cidr).toBe('::1/128')
  expect(network('0.0.0.0/0').cidr).toBe('0.0.0.0/0')
})

for (const text of [
  '',
  'x',
  '10.0.0.0/33',
  '::/129',
  '10.0.0/8',
  '10.1',
  '1',
  '10.0.0.0/',
  '/8',
  '10.0.0.0/-1',
  '[::1]',
  'localhost',
]) {
  test(`rejects the network ${JSON.stringify(text)}`, () => {
    expect(parseNetwork(text)).toBeUndefined()
  })
}

test('tells addresses from names as the runtime does', () => {
  const part = fc.constantFrom(
    '1',
    '0',
    '255',
    '256',
    '.',
    ':',
    '::',
    'f',
    'fe80',
    '%eth0',
    '[',
    'x',
  )
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.domain(),
    fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
  )
  fc.assert(fc.property(text, (text) => expect(isAddress(text)).toBe(isIP(text) !== 0)))
})
