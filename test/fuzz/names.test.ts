import { expect, test } from 'bun:test'
import { isIP } from 'node:net'
import * as fc from 'fast-check'
import {
  isDnsName,
  parseServerName,
  type ServerName,
  serverNameOfUser,
  targetOf,
} from '../../src/matrix/server-name.ts'
import {
  canonicalAddress,
  denyingNetwork,
  NOT_PUBLIC,
  NOT_PUBLIC_NOR_LOCAL,
  OWN_MACHINE,
  parseNetwork,
} from '../../src/net/networks.ts'
import { forAll } from './for-all.ts'
import { anyText, dnsName, nearly, serverName, someText } from './values.ts'

function written({ kind, host, port }: ServerName): string {
  const authority = kind === 'ipv6' ? `[${host}]` : host
  return port === undefined ? authority : `${authority}:${port}`
}

test('a server name, written from its parts, has the same parts', async () => {
  await forAll(nearly(serverName), (text) => {
    const name = parseServerName(text)
    if (name === undefined) return
    const again = written(name)
    expect(parseServerName(again)).toEqual({ ...name, text: again })
  })
})

test('every server name is taken', async () => {
  await forAll(serverName, (text) => expect(parseServerName(text)?.text).toBe(text))
})

test('a server name can be connected to: its address can be checked, its name can be asked for', async () => {
  await forAll(nearly(serverName), (text) => {
    const name = parseServerName(text)
    if (name === undefined) return
    const { host, port } = targetOf(name, 8448)
    expect(port > 0 && port < 65_536).toBe(true)
    expect(isIP(host) !== 0).toBe(name.kind !== 'hostname')
    if (isIP(host) === 0) expect(isDnsName(host)).toBe(true)
    else denyingNetwork(host, { denied: NOT_PUBLIC, allowed: [] })
  })
})

test('every address has one way to be written, whatever it was written like', async () => {
  await forAll(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
    const once = canonicalAddress(text)
    expect(isIP(once)).not.toBe(0)
    expect(canonicalAddress(once)).toBe(once)
    expect(canonicalAddress(text.toUpperCase())).toBe(once)
  })
})

test('a user ID of a server is a user of that server', async () => {
  const localpart = someText.filter((text) => !/[:\0]/.test(text))
  await forAll(fc.tuple(localpart, serverName), ([local, server]) => {
    expect(serverNameOfUser(`@${local}:${server}`)).toBe(server)
  })
})

test('a user ID that is taken ends with its server name', async () => {
  const userId = fc.tuple(anyText, serverName).map(([local, server]) => `@${local}:${server}`)
  await forAll(nearly(userId), (text) => {
    const server = serverNameOfUser(text)
    if (server === undefined) return
    const local = text.slice(1, -server.length - 1)
    expect(`@${local}:${server}`).toBe(text)
    expect(local).not.toContain(':')
  })
})

test('a host name is a DNS name, whatever it looks like', async () => {
  await forAll(nearly(dnsName), (text) => {
    if (!isDnsName(text)) return
    expect(isIP(text)).toBe(0)
    // What the runtime would read as an IPv4 address is none.
    expect(isIP(URL.parse(`https://${text}/`)?.hostname ?? '')).toBe(0)
  })
})

const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended())
const network = fc.oneof(
  address,
  fc.tuple(address, fc.nat(130)).map(([base, bits]) => `${base}/${bits}`),
  fc.ipV4().map((base) => `::ffff:${base}`),
  fc.tuple(fc.ipV4(), fc.nat(128)).map(([base, bits]) => `::ffff:${base}/${bits}`),
)

test('a network, read again from how it is written, is the same', async () => {
  await forAll(nearly(network), (text) => {
    const parsed = parseNetwork(text)
    if (parsed === undefined) return
    expect(parseNetwork(parsed.cidr)).toEqual(parsed)
  })
})

test('a network is made of an address that the runtime takes as well', async () => {
  await forAll(nearly(network), (text) => {
    if (parseNetwork(text) !== undefined) expect(isIP(text.split('/')[0] ?? '')).not.toBe(0)
  })
})

test('a network holds the address that it is made of', async () => {
  await forAll(nearly(network), (text) => {
    const parsed = parseNetwork(text)
    const [base = '', bits = '128'] = text.split('/')
    if (parsed === undefined || isIP(base) === 0) return
    // IPv4 addresses in IPv6 form are compared as IPv4, which larger networks hold none of.
    const isIPv4InIPv6 = URL.parse(`http://[${base}]`)?.hostname.startsWith('[::ffff:')
    if (isIPv4InIPv6 && Number(bits) < 96) return
    expect(denyingNetwork(base, { denied: [parsed], allowed: [] })).toEqual(parsed)
  })
})

test('an address is judged the same, however its last 32 bits are written', async () => {
  const groups = fc.constantFrom('::', '::ffff:', '64:ff9b::', '2001:db8::', '::ffff:0:')
  const policies = [NOT_PUBLIC, NOT_PUBLIC_NOR_LOCAL, OWN_MACHINE]
  await forAll(fc.tuple(groups, fc.ipV4()), ([start, end]) => {
    const hex = Buffer.from(end.split('.').map(Number)).toString('hex')
    const other = `${start}${hex.slice(0, 4)}:${hex.slice(4)}`
    for (const denied of policies) {
      const policy = { denied, allowed: [] }
      expect(denyingNetwork(`${start}${end}`, policy)).toEqual(denyingNetwork(other, policy))
    }
  })
})

test('every IP address of the runtime can be checked', async () => {
  await forAll(nearly(address), (text) => {
    // Nothing that is connected to has a zone ID.
    if (isIP(text) === 0 || text.includes('%')) return
    denyingNetwork(text, { denied: NOT_PUBLIC, allowed: [] })
  })
})
