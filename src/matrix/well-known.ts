import { cacheLifetimeMs, type LifetimeBounds } from '../net/cache-lifetime.ts'
import { DeadlineExceeded, withDeadline } from '../net/deadline.ts'
import { type Answer, ExchangeError } from '../net/exchange.ts'
import { ExpiringCache, type Loaded } from '../net/expiring-cache.ts'
import type { AddressPolicy } from '../net/networks.ts'
import { type TargetClient, UnreachableError } from '../net/target-client.ts'
import { parseServerName, type ServerName } from './server-name.ts'
import { targetOf } from './target.ts'

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
  find(host: string, policy: AddressPolicy): Promise<WellKnown>
}

/** Settings of {@link createWellKnownLookup}. */
export interface WellKnownOptions {
  readonly client: TargetClient
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How long one look-up may take, redirects included. */
  readonly timeoutMs?: number | undefined
  /** Port that well-known is asked at. */
  readonly port?: number | undefined
}

interface Remembered {
  readonly wellKnown: WellKnown
  /** How many look-ups in a row have failed. */
  readonly failures: number
  /** When the last usable answer arrived, in milliseconds since the epoch. */
  readonly confirmedAt: number
}

const PATH = '/.well-known/matrix/server'
const MAX_REDIRECTS = 5
const MAX_ENTRIES = 10_000
const HOUR_MS = 3_600_000
const LIFETIME: LifetimeBounds = { defaultMs: 24 * HOUR_MS, maxMs: 48 * HOUR_MS }
const FIRST_RETRY_MS = 120_000
const LAST_RETRY_MS = HOUR_MS

function retryAfterMs(failures: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LAST_RETRY_MS)
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

function parseUrl(text: string, base?: string): URL {
  const url = URL.parse(text, base)
  if (url === null) throw new ExchangeError('host or redirect that makes no valid URL', false)
  return url
}

function redirectTarget(location: string | null, from: URL): URL {
  const to = parseUrl(location ?? '', from.href)
  if (to.protocol !== 'https:') throw new ExchangeError('redirect to something not https', false)
  if (to.username !== '' || to.password !== '') {
    throw new ExchangeError('redirect with credentials', false)
  }
  return to
}

function parseDelegation({ status, body }: Answer): ServerName {
  if (status !== 200) throw new ExchangeError(`status ${status}`, false)
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    throw new ExchangeError('answer is not JSON', false)
  }
  const text = typeof json === 'object' && json !== null && 'm.server' in json && json['m.server']
  const name = typeof text === 'string' ? parseServerName(text) : undefined
  if (name === undefined) throw new ExchangeError('"m.server" is not a server name', false)
  return name
}

/** Makes a look-up of `/.well-known/matrix/server` that caches answers, and failures for a while. */
export function createWellKnownLookup(options: WellKnownOptions): WellKnownLookup {
  const { client, now, timeoutMs = 3_000, port = 443 } = options
  const cache = new ExpiringCache<Remembered>({ maxEntries: MAX_ENTRIES, now })

  async function follow(host: string, policy: AddressPolicy, signal: AbortSignal): Promise<Answer> {
    let url = parseUrl(`https://${host}:${port}${PATH}`)
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const name = parseServerName(url.host)
      if (name === undefined) throw new ExchangeError('redirect to an unusable host', false)
      const target = targetOf(name, port)
      const path = url.pathname + url.search
      const answer = await client.get([target], path, policy, signal)
      if (!isRedirect(answer.status)) return answer
      url = redirectTarget(answer.headers.get('location'), url)
    }
    throw new ExchangeError(`more than ${MAX_REDIRECTS} redirects`, false)
  }

  async function ask(host: string, policy: AddressPolicy): Promise<Loaded<WellKnown>> {
    const answer = await withDeadline(timeoutMs, undefined, (signal) => {
      return follow(host, policy, signal)
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

  async function load(host: string, policy: AddressPolicy, before: Remembered | undefined) {
    try {
      const { value, ttlMs } = await ask(host, policy)
      return { value: { wellKnown: value, failures: 0, confirmedAt: now() }, ttlMs }
    } catch (error) {
      const expected =
        error instanceof ExchangeError ||
        error instanceof UnreachableError ||
        error instanceof DeadlineExceeded
      if (!expected) throw error
      return afterFailure(error.message, before)
    }
  }

  return {
    async find(host, policy) {
      // One answer may be permitted to an operator's own server and refused to a stranger's.
      const key = `${policy.denied.length} ${host}`
      return (await cache.get(key, (before) => load(host, policy, before))).wellKnown
    },
  }
}
