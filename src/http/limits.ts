import { type Rate, TokenBuckets } from '../lib/token-buckets.ts'
import type { Logger } from '../log.ts'
import type { Network } from '../net/networks.ts'
import { createClientLocator, type PeerLookup } from './client-address.ts'
import { createLimitHints, type LimitedBy } from './limit-hints.ts'

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

/** Limits how often clients may ask. Methods that admit throw {@link TooManyRequests}. */
export interface Limits {
  /**
   * Before a request is read: by the address that it comes from.
   *
   * @returns the key of its limit, since where from is no longer known when a client has hung up;
   *   `undefined` where there is none
   */
  admitAddress(request: Request): string | undefined
  /** A request failed to prove who sent it, which counts double; `key` is that of its address. */
  noteFailure(key: string | undefined): void
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
  admitAddress: () => undefined,
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
  const hints = createLimitHints(logger, monotonicNow)
  const originals = new WeakMap<Request, Request>()
  let peers: PeerLookup | undefined

  function admit(buckets: TokenBuckets, limit: LimitedBy, key: string): void {
    const retryAfterMs = buckets.take(key)
    if (retryAfterMs === 0) return
    hints.noteRefusal(limit)
    throw new TooManyRequests(limit, retryAfterMs)
  }

  /** The key of the limit; `undefined` where a proxy hides its clients. */
  function addressOf(request: Request): string | undefined {
    const peer = peers?.requestIP(originals.get(request) ?? request)?.address
    if (peer === undefined) return undefined
    const client = locate(request, peer)
    hints.noteClient(client)
    return client.kind === 'hidden' ? undefined : client.key
  }

  return {
    admitAddress(request) {
      const key = addressOf(request)
      if (key !== undefined) admit(addresses, 'address', key)
      return key
    },
    noteFailure(key) {
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
