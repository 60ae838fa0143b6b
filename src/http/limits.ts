import { type Rate, TokenBuckets } from '../lib/token-buckets.ts'
import type { Logger } from '../log.ts'
import type { Network } from '../net/networks.ts'
import { type Client, createClientLocator, type PeerLookup } from './client-address.ts'

/** What a limit is kept for. */
export type LimitedBy = 'address' | 'user' | 'origin'

/** A client, user or homeserver sends too many requests. */
export class TooManyRequests extends Error {
  readonly code = 'too-many-requests'
  readonly limit: LimitedBy
  /** How long the client should wait before it tries again. */
  readonly retryAfterMs: number

  constructor(limit: LimitedBy, retryAfterMs: number) {
    super(`too many requests of the ${limit}`)
    this.name = 'TooManyRequests'
    this.limit = limit
    this.retryAfterMs = retryAfterMs
  }
}

/** Limits how often clients may ask. Every method but `noteFailure` throws {@link TooManyRequests}. */
export interface Limits {
  /** Before a request is read: by the address that it comes from. */
  admitAddress(request: Request): void
  /** The request failed to prove who sent it, which counts double. */
  noteFailure(request: Request): void
  /** For a user who is verified, or whom our homeserver names. */
  admitUser(userId: string): void
  /** For another homeserver that ours names. */
  admitOrigin(serverName: string): void
  /** The server that requests come through, by which their addresses are known. */
  useServer(server: PeerLookup): void
  /** Notes that the framework gets a copy of a request, which comes from the same address. */
  noteCopy(copy: Request, original: Request): void
}

const PER_USER: Rate = { perSecond: 2, burst: 20 }
const PER_ORIGIN: Rate = { perSecond: 50, burst: 1_000 }
/** A few megabytes for each limit at most. */
const MAX_KEYS = 50_000
const HINT_AFTER_REQUESTS = 100
const TELL_EVERY_MS = 60_000

/** Options of {@link createLimits}. */
export interface LimitsOptions {
  /** Limit of an address; `undefined` for no limits at all. */
  readonly addressRate: Rate | undefined
  /** Networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly Network[]
  /** Milliseconds since some moment, never going back. */
  readonly monotonicNow: () => number
  readonly logger: Logger
}

const UNLIMITED: Limits = {
  admitAddress() {},
  noteFailure() {},
  admitUser() {},
  admitOrigin() {},
  useServer() {},
  noteCopy() {},
}

/** Creates {@link Limits}. */
export function createLimits(options: LimitsOptions): Limits {
  const { addressRate, trustedProxies, monotonicNow, logger } = options
  if (addressRate === undefined) return UNLIMITED
  const locate = createClientLocator(trustedProxies)
  const addresses = new TokenBuckets(addressRate, MAX_KEYS, monotonicNow)
  const users = new TokenBuckets(PER_USER, MAX_KEYS, monotonicNow)
  const origins = new TokenBuckets(PER_ORIGIN, MAX_KEYS, monotonicNow)
  /** Requests so far, while all came from {@link onlyAddress}; else not a number. */
  let requestsOfOne = 0
  let onlyAddress: string | undefined
  let hasWarned = false
  const originals = new WeakMap<Request, Request>()
  /** The limits that requests are under; where from is no longer known when a client has hung up. */
  const keys = new WeakMap<Request, string>()
  let peers: PeerLookup | undefined

  const refusals = new Map<LimitedBy, { count: number; toldAt: number }>()

  /** Tells of refusals once a minute: a line for each would let a flood fill the log. */
  function noteRefusal(limit: LimitedBy): void {
    const now = monotonicNow()
    const { count, toldAt } = refusals.get(limit) ?? { count: 0, toldAt: Number.NEGATIVE_INFINITY }
    const isTimeToTell = now - toldAt >= TELL_EVERY_MS
    refusals.set(limit, isTimeToTell ? { count: 0, toldAt: now } : { count: count + 1, toldAt })
    if (isTimeToTell) logger.warn('too many requests are refused', { limit, requests: count + 1 })
  }

  function admit(buckets: TokenBuckets, limit: LimitedBy, key: string): void {
    const retryAfterMs = buckets.take(key)
    if (retryAfterMs === 0) return
    noteRefusal(limit)
    throw new TooManyRequests(limit, retryAfterMs)
  }

  /** A proxy that is not known as one turns all its clients into one; so does a network before it. */
  function watchClients(client: Client): void {
    if (client.kind !== 'private') {
      requestsOfOne = Number.NaN
      return
    }
    requestsOfOne =
      onlyAddress === undefined || onlyAddress === client.address ? requestsOfOne + 1 : Number.NaN
    onlyAddress = client.address
    if (requestsOfOne !== HINT_AFTER_REQUESTS) return
    const { address, proxy } = client
    const advice =
      proxy === undefined
        ? 'if it is your proxy, add it to LIVEKIT_TRUSTED_PROXIES'
        : 'if many clients are behind it, have the network keep their addresses until they reach the proxy'
    logger.warn(`all requests come from one private address and share its limit: ${advice}`, {
      address,
      ...(proxy !== undefined && { proxy }),
    })
  }

  function warnOfHidden(proxy: string): void {
    if (hasWarned) return
    hasWarned = true
    logger.warn(
      'clients behind this proxy are not limited by address: it sends no usable X-Forwarded-For',
      { proxy },
    )
  }

  /** The key of the limit; `undefined` where a proxy hides its clients. */
  function addressOf(request: Request): string | undefined {
    const peer = peers?.requestIP(originals.get(request) ?? request)?.address
    if (peer === undefined) return undefined
    const client = locate(request, peer)
    watchClients(client)
    if (client.kind !== 'hidden') return client.key
    warnOfHidden(client.proxy)
    return undefined
  }

  return {
    admitAddress(request) {
      const key = addressOf(request)
      if (key === undefined) return
      keys.set(request, key)
      admit(addresses, 'address', key)
    },
    noteFailure(request) {
      const key = keys.get(request)
      if (key !== undefined) addresses.charge(key)
    },
    admitUser: (userId) => admit(users, 'user', userId),
    admitOrigin: (serverName) => admit(origins, 'origin', serverName),
    useServer(server) {
      peers = server
    },
    noteCopy: (copy, original) => void originals.set(copy, original),
  }
}
