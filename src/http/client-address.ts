import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { AddressChecks, LOCAL, type Network } from '../net/networks.ts'

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
  /** A private address that is no trusted proxy; it may be one all the same. */
  | { readonly kind: 'private'; readonly key: string; readonly peer: string }

/** Tells where requests come from. */
export type LocateClient = (request: Request, peer: string) => Client

/** More proxies than anybody chains. */
const MAX_HOPS = 10
const PRIVATE = { denied: LOCAL, allowed: [] }

/** The address in `1.2.3.4`, `1.2.3.4:5678`, `::1`, `[::1]` or `[::1]:5678`; `undefined` if there is none. */
function addressIn(hop: string): string | undefined {
  const text = hop.trim()
  const [, bracketed] = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text) ?? []
  const [, withPort] = /^([\d.]+):\d{1,5}$/.exec(text) ?? []
  const address = bracketed ?? withPort ?? text
  return isIP(address) === 0 ? undefined : plain(address)
}

/** An IPv4 address may come in the form of an IPv6 one. */
function plain(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address
}

/** A customer of an IPv6 provider has a /64 at least. */
function keyOf(address: string): string {
  if (!address.includes(':')) return address
  const [zoneless = ''] = address.split('%')
  return `${ipaddr.parse(zoneless).toByteArray().slice(0, 8).join('.')}/64`
}

/**
 * Creates {@link LocateClient}.
 *
 * Promise: only a trusted proxy's `X-Forwarded-For` is believed; the client is its right-most untrusted
 * address. What an untrusted peer claims about itself counts for nothing.
 *
 * @param trusted - networks of trusted proxies
 */
export function createClientLocator(trusted: readonly Network[]): LocateClient {
  const checks = new AddressChecks()
  const proxies = { denied: trusted, allowed: [] }
  const isProxy = (address: string) => checks.denyingNetwork(address, proxies) !== undefined
  const isPrivate = (address: string) => checks.denyingNetwork(address, PRIVATE) !== undefined

  function forwardedFor(header: string): string | undefined {
    const hops = header.split(',').slice(-MAX_HOPS).reverse()
    let last: string | undefined
    for (const hop of hops) {
      const address = addressIn(hop)
      if (address === undefined) return undefined
      if (!isProxy(address)) return address
      last = address
    }
    return last
  }

  return function locateClient(request, peer) {
    const address = plain(peer)
    if (!isProxy(address)) {
      const key = keyOf(address)
      return isPrivate(address) ? { kind: 'private', key, peer: address } : { kind: 'known', key }
    }
    const header = request.headers.get('x-forwarded-for')
    const client = header === null ? undefined : forwardedFor(header)
    return client === undefined
      ? { kind: 'hidden', proxy: address }
      : { kind: 'known', key: keyOf(client) }
  }
}
