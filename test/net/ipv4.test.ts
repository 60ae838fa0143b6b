import { describe, expect, test } from 'bun:test'
import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import ipaddr from 'ipaddr.js'
import { ipv4Number, ipv4Range, isWithin } from '../../src/net/ipv4.ts'
import { LOCAL, NOT_PUBLIC, OWN_MACHINE } from '../../src/net/networks.ts'

test.each([
  ['0.0.0.0', 0],
  ['0.0.0.255', 255],
  ['1.2.3.4', 0x01020304],
  ['127.255.255.255', 0x7fffffff],
  ['128.0.0.0', -0x80000000],
  ['255.255.255.255', -1],
])('%s is the number %d', (text, number) => {
  expect(ipv4Number(text)).toBe(number)
})

test.each([
  '',
  '...',
  '1.2.3',
  '1..3.4',
  '1.2.3.4.',
  '1.2.3.4.5',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.4 ',
  '::1',
])('%p is no IPv4 address', (text) => {
  expect(ipv4Number(text)).toBeUndefined()
})

test('takes what isIPv4 takes, and nothing else', () => {
  const piece = fc.constantFrom('.', '0', '1', '25', '255', '256', '09', '-', ' ', 'a', ':', '٤')
  const text = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(''))
  fc.assert(
    fc.property(fc.oneof(text, fc.ipV4(), fc.string()), (each) => {
      expect(ipv4Number(each) !== undefined).toBe(isIPv4(each))
    }),
    { numRuns: 5_000 },
  )
})

describe('a range', () => {
  test.each<[bytes: number[], bits: number, inside: string[], outside: string[]]>([
    [[10, 0, 0, 0], 8, ['10.0.0.0', '10.255.255.255'], ['9.255.255.255', '11.0.0.0']],
    [[172, 16, 0, 0], 12, ['172.16.0.0', '172.31.255.255'], ['172.15.255.255', '172.32.0.0']],
    [[240, 0, 0, 0], 4, ['240.0.0.0', '255.255.255.255'], ['239.255.255.255', '0.0.0.0']],
    [[1, 2, 3, 4], 32, ['1.2.3.4'], ['1.2.3.3', '1.2.3.5']],
    [[1, 2, 3, 4], 31, ['1.2.3.4', '1.2.3.5'], ['1.2.3.3', '1.2.3.6']],
    [[1, 2, 3, 4], 0, ['0.0.0.0', '255.255.255.255', '1.2.3.4'], []],
  ])('of %j with %d bits has its addresses alone', (bytes, bits, inside, outside) => {
    const range = ipv4Range(bytes, bits)
    const has = (text: string) => isWithin(ipv4Number(text) ?? 0, range)
    expect(inside.map(has)).toEqual(inside.map(() => true))
    expect(outside.map(has)).toEqual(outside.map(() => false))
  })
})

test('agrees with the library about the ends of every network that the service knows', () => {
  const networks = [...LOCAL, ...NOT_PUBLIC, ...OWN_MACHINE].filter(
    ({ ipv4 }) => ipv4 !== undefined,
  )
  const ends = networks.flatMap(({ cidr }) => {
    const first = ipv4Number(ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()) ?? 0
    const last = ipv4Number(ipaddr.IPv4.broadcastAddressFromCIDR(cidr).toString()) ?? 0
    return [first - 1, first, last, last + 1].map((number) => number >>> 0)
  })
  for (const number of ends) {
    const address = new ipaddr.IPv4([24, 16, 8, 0].map((shift) => (number >>> shift) & 255))
    const byLibrary = networks.filter(({ cidr }) => address.match(ipaddr.IPv4.parseCIDR(cidr)))
    const byNumber = networks.filter(({ ipv4 }) => ipv4 && isWithin(number | 0, ipv4))
    expect([address.toString(), byNumber]).toEqual([address.toString(), byLibrary])
  }
  expect(networks.length).toBeGreaterThan(20)
})
