import type { CancellationSignal } from '../lib/cancellation.ts'
import type { AddressPolicy } from '../net/networks.ts'
import { DnsError, type Resolver, type SrvRecord } from '../net/resolver.ts'
import type { Target } from '../net/target-client.ts'
import { isDnsName, type ServerName, targetOf } from './server-name.ts'
import { orderForConnecting } from './srv-order.ts'
import type { WellKnownLookup } from './well-known.ts'

/** Result of resolving a server name. */
export interface Discovered {
  /** In the order in which to try them. */
  readonly targets: readonly Target[]
  /** Problems that did not end the discovery, for the operator. */
  readonly notes: readonly string[]
}

/** Resolves server names. */
export interface Discovery {
  /**
   * Resolves a server name. It fails only when `signal` fires: the last resort is the name itself.
   *
   * @see https://spec.matrix.org/latest/server-server-api/#resolving-server-names
   */
  discover(name: ServerName, policy: AddressPolicy, signal: CancellationSignal): Promise<Discovered>
}

/** Settings of {@link createDiscovery}. */
export interface DiscoveryOptions {
  readonly wellKnown: WellKnownLookup
  readonly resolver: Resolver
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number
  /** Port for names without one. */
  readonly defaultPort?: number | undefined
}

const SERVICES = ['_matrix-fed._tcp', '_matrix._tcp']
const MAX_SRV_TARGETS = 4

/** Creates server name resolution as in the Matrix specification. */
export function createDiscovery(options: DiscoveryOptions): Discovery {
  const { wellKnown, resolver, random, defaultPort = 8448 } = options

  async function usableServices(name: string, notes: string[]): Promise<readonly SrvRecord[]> {
    try {
      const records = await resolver.services(name)
      // A target of "." means that the service is not available (RFC 2782).
      const there = records.filter(({ port, target }) => port > 0 && !/^\.?$/.test(target))
      const usable = there.filter(({ target }) => isDnsName(target))
      if (usable.length < there.length) notes.push(`SRV ${name}: a target that is no DNS name`)
      return usable
    } catch (error) {
      if (!(error instanceof DnsError)) throw error
      notes.push(`SRV ${name}: ${error.message}`)
      return []
    }
  }

  async function bySrv(name: ServerName, notes: string[]): Promise<Discovered> {
    const answers = SERVICES.map((service) => usableServices(`${service}.${name.host}`, notes))
    const [current = [], deprecated = []] = await Promise.all(answers)
    const records = current.length > 0 ? current : deprecated
    const itself = targetOf(name, defaultPort)
    if (records.length === 0) return { targets: [itself], notes }

    const ordered = orderForConnecting(records, random).slice(0, MAX_SRV_TARGETS)
    // SRV records are not authenticated, so certificate and Host must be those of the name.
    return {
      targets: ordered.map(({ target, port }) => ({ ...itself, host: target, port })),
      notes,
    }
  }

  function takenLiterally(name: ServerName): boolean {
    return name.kind !== 'hostname' || name.port !== undefined
  }

  return {
    async discover(name, policy, signal) {
      if (takenLiterally(name)) return { targets: [targetOf(name, defaultPort)], notes: [] }
      const found = await wellKnown.find(name, policy, signal)
      if (found.kind === 'none') return bySrv(name, [`well-known: ${found.reason}`])
      if (takenLiterally(found.to)) return { targets: [targetOf(found.to, defaultPort)], notes: [] }
      return bySrv(found.to, [])
    },
  }
}
