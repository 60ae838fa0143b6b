import { parseJson, textMember } from '../lib/json.ts'
import { cacheLifetimeMs, type LifetimeBounds } from '../net/cache-lifetime.ts'
import { withDeadline } from '../net/deadline.ts'
import { type Answer, ExchangeError } from '../net/exchange.ts'
import { ExpiringCache, type Loaded } from '../net/expiring-cache.ts'
import { isRequestFailure } from '../net/failures.ts'
import type { AddressPolicy } from '../net/networks.ts'
import { parseServerName, type ServerName } from './server-name.ts'
import type { GetWellKnown } from './well-known-document.ts'

/** What `/.well-known/matrix/server` of a host says. */
export type WellKnown =
  | { readonly kind: 'delegated'; readonly to: ServerName }
  /** None, or none that can be used; `reason` is for the operator. */
  | { readonly kind: 'none'; readonly reason: string }

/** Looks up the delegation of hosts. */
export interface WellKnownLookup {
  /**
   * The delegation of `host`; it never fails, since an unusable one counts as none.
   *
   * @see https://spec.matrix.org/latest/server-server-api/#getwell-knownmatrixserver
   */
  find(host: ServerName, policy: AddressPolicy): Promise<WellKnown>
}

/** Settings of {@link createWellKnownLookup}. */
export interface WellKnownOptions {
  readonly getWellKnown: GetWellKnown
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How long one look-up may take, redirects included. */
  readonly timeoutMs?: number | undefined
}

interface Remembered {
  readonly wellKnown: WellKnown
  /** How many look-ups in a row have failed. */
  readonly failures: number
  /** When the last usable answer arrived, in milliseconds since the epoch. */
  readonly confirmedAt: number
}

const PATH = '/.well-known/matrix/server'
const MAX_ENTRIES = 10_000
const HOUR_MS = 3_600_000
const LIFETIME: LifetimeBounds = { defaultMs: 24 * HOUR_MS, maxMs: 48 * HOUR_MS }
const FIRST_RETRY_MS = 120_000
const LAST_RETRY_MS = HOUR_MS

function retryAfterMs(failures: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LAST_RETRY_MS)
}

function parseDelegation({ status, body }: Answer): ServerName {
  if (status !== 200) throw new ExchangeError(`status ${status}`, 'final')
  const json = parseJson(body)
  if (json === undefined) throw new ExchangeError('answer is not JSON', 'final')
  const name = parseServerName(textMember(json, 'm.server') ?? '')
  if (name === undefined) throw new ExchangeError('"m.server" is not a server name', 'final')
  return name
}

/** Makes a look-up of `/.well-known/matrix/server` that caches answers, and failures for a while. */
export function createWellKnownLookup(options: WellKnownOptions): WellKnownLookup {
  const { getWellKnown, now, timeoutMs = 3_000 } = options
  const cache = new ExpiringCache<Remembered>({ maxEntries: MAX_ENTRIES, now })

  async function ask(host: ServerName, policy: AddressPolicy): Promise<Loaded<WellKnown>> {
    const answer = await withDeadline(timeoutMs, undefined, (signal) => {
      return getWellKnown(host, PATH, policy, signal)
    })
    return {
      value: { kind: 'delegated', to: parseDelegation(answer) },
      ttlMs: cacheLifetimeMs(answer.headers, now(), LIFETIME),
    }
  }

  /** A delegation outlives a failure to confirm it, for as long as any answer may be used. */
  function afterFailure(reason: string, before: Remembered | undefined): Loaded<Remembered> {
    const failures = (before?.failures ?? 0) + 1
    const confirmedAt = before?.confirmedAt ?? Number.NEGATIVE_INFINITY
    const ttlMs = retryAfterMs(failures)
    if (before?.wellKnown.kind === 'delegated' && now() - confirmedAt + ttlMs <= LIFETIME.maxMs) {
      return { value: { ...before, failures }, ttlMs }
    }
    return { value: { wellKnown: { kind: 'none', reason }, failures, confirmedAt }, ttlMs }
  }

  async function load(host: ServerName, policy: AddressPolicy, before: Remembered | undefined) {
    try {
      const { value, ttlMs } = await ask(host, policy)
      return { value: { wellKnown: value, failures: 0, confirmedAt: now() }, ttlMs }
    } catch (error) {
      if (!isRequestFailure(error)) throw error
      return afterFailure(error.message, before)
    }
  }

  return {
    async find(host, policy) {
      // One answer may be permitted to an operator's own server and refused to a stranger's.
      const key = `${policy.denied.length} ${host.host}`
      return (await cache.get(key, (before) => load(host, policy, before))).wellKnown
    },
  }
}
