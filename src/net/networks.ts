import { isIP, isIPv4 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { type IPv4Range, ipv4Number, ipv4Range, isWithin } from './ipv4.ts'

const MAX_REMEMBERED = 10_000

/**
 * Checks addresses against policies, and caches the results for IPv6, which never change; those for IPv4
 * are found as quickly.
 */
export class AddressChecks {
  readonly #verdicts = new WeakMap<AddressPolicy, Map<string, Network | undefined>>()

  /** The network that denies `address`; `undefined` if it is permitted. */
  denyingNetwork(address: string, policy: AddressPolicy): Network | undefined {
    const number = ipv4Number(address)
    if (number !== undefined) return denyingIPv4Network(number, policy)
    const verdicts = this.#verdictsBy(policy)
    if (verdicts.has(address)) return verdicts.get(address)
    const verdict = denyingNetwork(address, policy)
    if (verdicts.size >= MAX_REMEMBERED) verdicts.clear()
    verdicts.set(address, verdict)
    return verdict
  }

  #verdictsBy(policy: AddressPolicy): Map<string, Network | undefined> {
    const known = this.#verdicts.get(policy)
    if (known !== undefined) return known
    const verdicts = new Map<string, Network | undefined>()
    this.#verdicts.set(policy, verdicts)
    return verdicts
  }
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** A range of IP addresses in CIDR notation. */
export interface Network {
  /** As written, such as `10.0.0.0/8`; a single address has its length added. */
  readonly cidr: string
  readonly range: readonly [Address, number]
  /** The same, if it is one of IPv4. */
  readonly ipv4: IPv4Range | undefined
}

/** Which addresses may be connected to. */
export interface AddressPolicy {
  readonly denied: readonly Network[]
  /** Exceptions to `denied`. */
  readonly allowed: readonly Network[]
}

/** Private ranges, which a homeserver on the operator's own network uses. */
const LOCAL_RANGES = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7']

/**
 * The other ranges that are not publicly routable.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry/
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry/
 */
const SPECIAL_RANGES = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/10',
  '64:ff9b:1::/48',
  '100::/8',
  '200::/7',
  '400::/6',
  '800::/5',
  '1000::/4',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '4000::/2',
  '8000::/2',
  'c000::/3',
  'e000::/4',
  'f000::/5',
  'f800::/6',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
]

/**
 * Loopback, link-local and unspecified addresses, also inside 6to4 ones: they lead to the machine
 * itself, or to the metadata of its cloud.
 */
const OWN_MACHINE_RANGES = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '::/128',
  '::1/128',
  'fe80::/10',
  '2002::/24',
  '2002:7f00::/24',
  '2002:a9fe::/32',
]

const DOTTED_END = /(?<=:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?=$|[%/])/

/**
 * Writes the last 32 bits of an IPv6 address in hexadecimal. Resolvers write `::808:808` as `::8.8.8.8`,
 * which the library takes for `::ffff:8.8.8.8`.
 */
function inHex(address: string): string {
  return address.replace(DOTTED_END, (dotted, ...parts: unknown[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number)
    if (!isIPv4(dotted)) return dotted
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
}

/** The one way to write an address, without a zone; IPv4 where it comes in the form of IPv6. */
export function canonicalAddress(address: string): string {
  // Here too; the library takes microseconds.
  if (ipv4Number(address) !== undefined) return address
  const [zoneless = ''] = address.split('%')
  return ipaddr.process(inHex(zoneless)).toString()
}

/** Ranges that embed an IPv4 address in their last 32 bits. */
const EMBEDDING_RANGES = ['::/96', '::ffff:0:0:0/96', '64:ff9b::/96'].map(parsedRange)

function parsedRange(cidr: string): readonly [Address, number] {
  return ipaddr.parseCIDR(inHex(cidr))
}

/**
 * Parses a network in CIDR notation, or a single address; `undefined` for anything else.
 */
export function parseNetwork(text: string): Network | undefined {
  if (!hasPlainAddress(text)) return undefined
  const cidr = ipaddr.isValid(inHex(text)) ? `${text}/${text.includes(':') ? 128 : 32}` : text
  return ipaddr.isValidCIDR(inHex(cidr)) ? network(cidr, unmapped(parsedRange(cidr))) : undefined
}

function network(cidr: string, range: Network['range']): Network {
  const [address, bits] = range
  const isIPv4 = address instanceof ipaddr.IPv4
  return { cidr, range, ipv4: isIPv4 ? ipv4Range(address.toByteArray(), bits) : undefined }
}

/** Converts a network of IPv4-mapped addresses to IPv4, since addresses are compared in that form. */
function unmapped([address, bits]: readonly [Address, number]): readonly [Address, number] {
  const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96
  return isMapped ? [address.toIPv4Address(), bits - 96] : [address, bits]
}

/** Whether a text is an IP address. For most names `isIP` takes many times as long to say no. */
export function isAddress(text: string): boolean {
  return ipv4Number(text) !== undefined || (text.includes(':') && isIP(text) !== 0)
}

/** Refuses short forms such as `10.1` and leading zeros, which parsers read differently. */
function hasPlainAddress(text: string): boolean {
  return isIP(text.split('/')[0] ?? '') !== 0
}

function networks(ranges: readonly string[]): Network[] {
  return ranges.map((cidr) => network(cidr, parsedRange(cidr)))
}

/** Every range that is not publicly routable. */
export const NOT_PUBLIC: readonly Network[] = networks([...SPECIAL_RANGES, ...LOCAL_RANGES])

/** {@link NOT_PUBLIC} without the private ranges. */
export const NOT_PUBLIC_NOR_LOCAL: readonly Network[] = networks(SPECIAL_RANGES)

/** Loopback and private networks, where an operator's own proxies are. */
export const LOCAL: readonly Network[] = networks([...LOCAL_RANGES, '127.0.0.0/8', '::1/128'])

/** Denied even if the operator configures a deny list of their own. */
export const OWN_MACHINE: readonly Network[] = networks(OWN_MACHINE_RANGES)

/** A policy that permits every address. */
export const ALLOW_ALL: AddressPolicy = { denied: [], allowed: [] }

function contains(network: Network, address: Address): boolean {
  return network.range[0].kind() === address.kind() && address.match([...network.range])
}

function embeddedIPv4(address: Address): ipaddr.IPv4 | undefined {
  if (!(address instanceof ipaddr.IPv6)) return undefined
  if (!EMBEDDING_RANGES.some(([base, bits]) => address.match([base as ipaddr.IPv6, bits]))) {
    return undefined
  }
  return new ipaddr.IPv4(address.toByteArray().slice(12))
}

function denyingIPv4Network(number: number, { denied, allowed }: AddressPolicy) {
  const has = ({ ipv4 }: Network) => ipv4 !== undefined && isWithin(number, ipv4)
  return allowed.some(has) ? undefined : denied.find(has)
}

/**
 * The network that denies `address`; `undefined` if it is permitted. An IPv4 address embedded in an
 * IPv6 address is checked too.
 *
 * @param address - an IP address without brackets
 * @throws {Error} when `address` is not an IP address
 */
export function denyingNetwork(address: string, policy: AddressPolicy): Network | undefined {
  const number = ipv4Number(address)
  if (number !== undefined) return denyingIPv4Network(number, policy)
  const outer = ipaddr.process(inHex(address))
  const inner = embeddedIPv4(outer)
  const forms = inner === undefined ? [outer] : [outer, inner]
  const firstOf = (networks: readonly Network[]) =>
    forms.map((form) => networks.find((network) => contains(network, form))).find(Boolean)
  return firstOf(policy.allowed) === undefined ? firstOf(policy.denied) : undefined
}
