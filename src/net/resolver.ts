import { promises as dns } from 'node:dns'
import { DeadlineExceeded, inTime } from '../lib/deadline.ts'
import { errorCode } from '../lib/error-code.ts'
import { ExpiringCache, type Loaded } from '../lib/expiring-cache.ts'

/** One SRV record. */
export interface SrvRecord {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}

/** A DNS query got no usable answer; `code` is `timeout` or the resolver's error code. */
export class DnsError extends Error {
  readonly code: string

  constructor(code: string) {
    super(`DNS: ${code}`)
    this.name = 'DnsError'
    this.code = code
  }
}

/** Looks up names in `/etc/hosts` and the DNS. */
export interface Resolver {
  /**
   * IPv4 and IPv6 addresses of a host, in the order in which to try them; empty if it has none.
   *
   * @throws {DnsError} when the query fails
   */
  addresses(host: string): Promise<readonly string[]>
  /**
   * SRV records of a service name, unordered; empty if there are none.
   *
   * @throws {DnsError} when the query fails
   */
  services(name: string): Promise<readonly SrvRecord[]>
}

/** Settings of {@link createResolver}. */
export interface ResolverOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Timeout of one query. */
  readonly timeoutMs?: number | undefined
}

const MAX_ENTRIES = 10_000
/** Fewer, since one can be 10 KB of names, and is kept for half a minute only. */
const MAX_SERVICE_ENTRIES = 1_000
/** Strangers control DNS answers, which must not fill memory or the log. */
const MAX_ADDRESSES = 16
const MAX_SERVICES = 32
const MAX_TTL_MS = 3_600_000
/** For answers without a TTL: SRV records, `/etc/hosts` and negative answers. */
const SHORT_TTL_MS = 30_000
const NO_SUCH_RECORD = /^(?:DNS_)?(?:ENOTFOUND|ENODATA|ENONAME)$/

async function answerWithin<T>(timeoutMs: number, query: Promise<readonly T[]>) {
  try {
    return await inTime(timeoutMs, query)
  } catch (error) {
    if (error instanceof DeadlineExceeded) throw new DnsError('timeout')
    const code = errorCode(error, 'unknown')
    if (NO_SUCH_RECORD.test(code)) return []
    throw new DnsError(code)
  }
}

function lifetimeMs(records: readonly { readonly ttl: number }[]): number {
  const ttlSeconds = Math.min(...records.map((record) => record.ttl))
  if (records.length === 0 || ttlSeconds === 0) return SHORT_TTL_MS
  return Math.min(ttlSeconds * 1000, MAX_TTL_MS)
}

/**
 * Creates a resolver that caches answers for their TTL.
 *
 * It uses c-ares, which honours `/etc/hosts` and `resolv.conf`, reports TTLs, and blocks no thread while
 * a name server is silent.
 */
export function createResolver({ now, timeoutMs = 3_000 }: ResolverOptions): Resolver {
  const addressCache = new ExpiringCache<readonly string[]>({ maxEntries: MAX_ENTRIES, now })
  const serviceCache = new ExpiringCache<readonly SrvRecord[]>({
    maxEntries: MAX_SERVICE_ENTRIES,
    now,
  })

  async function lookUpAddresses(host: string): Promise<Loaded<readonly string[]>> {
    const query = Bun.dns.lookup(host, { backend: 'c-ares' })
    const records = await answerWithin(timeoutMs, query)
    const addresses = [...new Set(records.map((record) => record.address))]
    return { value: addresses.slice(0, MAX_ADDRESSES), ttlMs: lifetimeMs(records) }
  }

  async function lookUpServices(name: string): Promise<Loaded<readonly SrvRecord[]>> {
    const records = await answerWithin(timeoutMs, dns.resolveSrv(name))
    const value = records.slice(0, MAX_SERVICES).map(({ priority, weight, port, name: target }) => {
      return { priority, weight, port, target }
    })
    return { value, ttlMs: SHORT_TTL_MS }
  }

  return {
    addresses: (host) => addressCache.get(host, () => lookUpAddresses(host)),
    services: (name) => serviceCache.get(name, () => lookUpServices(name)),
  }
}
