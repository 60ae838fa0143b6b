import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { ipv4Number, isWithin } from '../net/ipv4.ts'
import {
  AddressChecks,
  canonicalAddress,
  LOCAL,
  type Network,
  OWN_MACHINE,
} from '../net/networks.ts'

/** The part of the server that knows where a request comes from. */
export interface PeerLookup {
  requestIP(request: Request): { readonly address: string } | null
}

/** Where a request comes from. */
export type Client =
  /** `key` is the IPv4 address, or the /64 of the IPv6 address. */
  | { readonly kind: 'known'; readonly key: string }
  /** A trusted proxy that does not say for whom it asks. */
  | { readonly kind: 'hidden'; readonly proxy: string }
  /**
   * A private address, of a client or of something that many clients are behind: a proxy that is not
   * known as one, or a network that hides addresses from the `proxy` that names this one.
   */
  | {
      readonly kind: 'private'
      readonly key: string
      readonly address: string
      readonly proxy: string | undefined
    }

/** Tells where requests come from. */
export type LocateClient = (request: Request, peer: string) => Client

/** More proxies than anybody chains. */
const MAX_HOPS = 10

/** The address in `1.2.3.4`, `1.2.3.4:5678`, `::1`, `[::1]` or `[::1]:5678`; `undefined` if there is none. */
function addressIn(hop: string): string | undefined {
  const text = hop.trim()
  // Most are.
  if (ipv4Number(text) !== undefined) return text
  const [, bracketed] = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text) ?? []
  const [, withPort] = /^([\d.]+):\d{1,5}$/.exec(text) ?? []
  const address = bracketed ?? withPort ?? text
  return isIP(address) === 0 ? undefined : canonicalAddress(address)
}

/** A customer of an IPv6 provider has a /64 at least. */
function keyOf(address: string): string {
  if (!address.includes(':')) return address
  return `${ipaddr.parse(address).toByteArray().slice(0, 8).join('.')}/64`
}

/** Whether an address lies in one of some networks. */
function membershipIn(networks: readonly Network[]): (address: string) => boolean {
  const checks = new AddressChecks()
  const policy = { denied: networks, allowed: [] }
  const ranges = networks.flatMap(({ ipv4 }) => (ipv4 === undefined ? [] : [ipv4]))
  return function isMember(address) {
    const number = ipv4Number(address)
    if (number === undefined) return checks.denyingNetwork(address, policy) !== undefined
    for (const range of ranges) if (isWithin(number, range)) return true
    return false
  }
}

/** What is known of the other end of a connection. */
interface Peer {
  readonly address: string
  readonly isProxy: boolean
  /** Where its requests come from, unless it is a proxy. */
  readonly client: Client
}

/** Peers are mostly a few proxies. Without a proxy they are the clients themselves, hence a limit. */
const MAX_PEERS = 1_000

/**
 * Creates {@link LocateClient}.
 *
 * Promise: only a trusted proxy's `X-Forwarded-For` is believed; the client is its right-most untrusted
 * address. What an untrusted peer claims about itself counts for nothing.
 *
 * @param trusted - networks of trusted proxies
 */
export function createClientLocator(trusted: readonly Network[]): LocateClient {
  const isProxy = membershipIn(trusted)
  const isPrivate = membershipIn([...LOCAL, ...OWN_MACHINE])
  const peers = new Map<string, Peer>()

  function clientAt(address: string, proxy?: string): Client {
    const key = keyOf(address)
    return isPrivate(address) ? { kind: 'private', key, address, proxy } : { kind: 'known', key }
  }

  function peerAt(text: string): Peer {
    const known = peers.get(text)
    if (known !== undefined) return known
    const address = canonicalAddress(text)
    const peer = { address, isProxy: isProxy(address), client: clientAt(address) }
    if (peers.size >= MAX_PEERS) peers.clear()
    peers.set(text, peer)
    return peer
  }

  function forwardedFor(header: string): string | undefined {
    const hops = header.includes(',') ? header.split(',').slice(-MAX_HOPS).reverse() : [header]
    let last: string | undefined
    for (const hop of hops) {
      const address = addressIn(hop)
      // Whoever is not a proxy may have written it.
      if (address === undefined) return last
      if (!isProxy(address)) return address
      last = address
    }
    return last
  }

  return function locateClient(request, text) {
    const peer = peerAt(text)
    if (!peer.isProxy) return peer.client
    const header = request.headers.get('x-forwarded-for')
    const client = header === null ? undefined : forwardedFor(header)
    if (client === undefined) return { kind: 'hidden', proxy: peer.address }
    return clientAt(client, peer.address)
  }
}
