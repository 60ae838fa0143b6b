import type { CancellationSignal } from '../lib/cancellation.ts'
import { withDeadline } from '../lib/deadline.ts'
import { ExpiringCache, type Loaded } from '../lib/expiring-cache.ts'
import { parseJson, textMember } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import { cacheLifetimeMs, type LifetimeBounds } from '../net/cache-lifetime.ts'
import { type AddressPolicy, ALLOW_ALL } from '../net/networks.ts'
import { RequestError } from '../net/request-error.ts'
import { isRequestFailure } from '../net/request-failure.ts'
import type { TargetClient } from '../net/target-client.ts'
import { parseServerName, type ServerName, targetOf } from './server-name.ts'

/**
 * Fetches a well-known document of a host. Redirects to https are followed, and every hop is checked
 * like the first.
 *
 * @param path - such as `/.well-known/matrix/server`
 * @throws {RequestError} when there is no usable answer
 * @throws {UnreachableError} when the host, or one that it redirects to, cannot be connected to
 * @throws {DeadlineExceeded} when that is why `signal` fired
 */
export type GetWellKnown = (
  host: ServerName,
  path: string,
  policy: AddressPolicy,
  signal: CancellationSignal,
) => Promise<Answer>

const MAX_REDIRECTS = 5

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

function badRedirect(text: string): RequestError {
  return new RequestError('bad-redirect', text, 'final')
}

function parseUrl(text: string, base?: string): URL {
  const url = URL.parse(text, base)
  if (url === null) throw badRedirect('the host or redirect is not a valid URL')
  return url
}

function redirectTarget(location: string | null, from: URL): URL {
  const to = parseUrl(location ?? '', from.href)
  if (to.protocol !== 'https:') throw badRedirect('redirect to a URL that is not https')
  if (to.username !== '' || to.password !== '') {
    throw badRedirect('redirect with credentials')
  }
  return to
}

/**
 * Creates {@link GetWellKnown}.
 *
 * @param port - for hosts without a port
 */
export function createWellKnownClient(client: TargetClient, port = 443): GetWellKnown {
  return async function getWellKnown({ host, kind, port: ownPort }, path, policy, signal) {
    const authority = kind === 'ipv6' ? `[${host}]` : host
    let url = parseUrl(`https://${authority}:${ownPort ?? port}${path}`)
    for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
      const name = parseServerName(url.host)
      if (name === undefined) throw badRedirect('redirect to an unusable host')
      const call = { method: 'GET', path: url.pathname + url.search } as const
      const answer = await client.request([targetOf(name, port)], call, policy, signal)
      if (!isRedirect(answer.status)) return answer
      url = redirectTarget(answer.headers.get('location'), url)
    }
    throw badRedirect(`more than ${MAX_REDIRECTS} redirects`)
  }
}

/** Result of looking up `/.well-known/matrix/server`. */
export type WellKnown =
  | { readonly kind: 'delegated'; readonly to: ServerName }
  /** There is none, or an unusable one; `reason` is for the operator. */
  | { readonly kind: 'none'; readonly reason: string }

/** Looks up `/.well-known/matrix/server`. */
export interface WellKnownLookup {
  /**
   * The `m.server` of `host`. It fails only when `signal` fires: an unusable document counts as none.
   *
   * @see https://spec.matrix.org/latest/server-server-api/#getwell-knownmatrixserver
   */
  find(host: ServerName, policy: AddressPolicy, signal?: CancellationSignal): Promise<WellKnown>
}

/** Settings of {@link createWellKnownLookup}. */
export interface WellKnownOptions {
  readonly getWellKnown: GetWellKnown
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Timeout of one look-up, redirects included. */
  readonly timeoutMs?: number | undefined
}

interface Remembered {
  readonly wellKnown: WellKnown
  /** Failed look-ups in a row. */
  readonly failures: number
  /** When the last usable answer arrived, in milliseconds since the epoch. */
  readonly confirmedAt: number
}

/** Path of the well-known document of servers. */
export const SERVER_WELL_KNOWN_PATH = '/.well-known/matrix/server'
const MAX_ENTRIES = 10_000
const HOUR_MS = 3_600_000
const LIFETIME: LifetimeBounds = { defaultMs: 24 * HOUR_MS, maxMs: 48 * HOUR_MS }
const FIRST_RETRY_MS = 120_000
const LAST_RETRY_MS = HOUR_MS

function retryAfterMs(failures: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10), LAST_RETRY_MS)
}

/** Whether a status means a temporary problem rather than a missing document. */
function isUnable(status: number): boolean {
  return status >= 500 || status === 429
}

function none(reason: string): WellKnown {
  return { kind: 'none', reason }
}

function readWellKnown({ status, body }: Answer): WellKnown {
  if (isUnable(status)) throw new RequestError('unavailable', `status ${status}`, 'final')
  if (status !== 200) return none(`status ${status}`)
  const json = parseJson(body)
  if (json === undefined) return none('answer is not JSON')
  const to = parseServerName(textMember(json, 'm.server') ?? '')
  return to === undefined ? none('"m.server" is not a server name') : { kind: 'delegated', to }
}

/** Creates a look-up of `/.well-known/matrix/server` that caches answers and failures. */
export function createWellKnownLookup(options: WellKnownOptions): WellKnownLookup {
  const { getWellKnown, now, timeoutMs = 3_000 } = options
  const cache = new ExpiringCache<Remembered>({ maxEntries: MAX_ENTRIES, now })

  function ask(
    host: ServerName,
    policy: AddressPolicy,
    outer: CancellationSignal,
  ): Promise<Answer> {
    return withDeadline(timeoutMs, outer, (signal) => {
      return getWellKnown(host, SERVER_WELL_KNOWN_PATH, policy, signal)
    })
  }

  function withoutDelegation(
    wellKnown: WellKnown,
    before: Remembered | undefined,
  ): Loaded<Remembered> {
    const failures = (before?.failures ?? 0) + 1
    const confirmedAt = before?.confirmedAt ?? Number.NEGATIVE_INFINITY
    return { value: { wellKnown, failures, confirmedAt }, ttlMs: retryAfterMs(failures) }
  }

  /** After a failed look-up the last answer stays in use, up to the longest lifetime of an answer. */
  function unconfirmed(reason: string, before: Remembered | undefined): Loaded<Remembered> {
    const without = withoutDelegation(none(reason), before)
    if (before?.wellKnown.kind !== 'delegated') return without
    const { failures, confirmedAt } = without.value
    const isTooOld = now() - confirmedAt + without.ttlMs > LIFETIME.maxMs
    return isTooOld ? without : { value: { ...before, failures }, ttlMs: without.ttlMs }
  }

  async function load(
    host: ServerName,
    policy: AddressPolicy,
    before: Remembered | undefined,
    signal: CancellationSignal,
  ): Promise<Loaded<Remembered>> {
    try {
      const answer = await ask(host, policy, signal)
      const wellKnown = readWellKnown(answer)
      if (wellKnown.kind === 'none') return withoutDelegation(wellKnown, before)
      const ttlMs = cacheLifetimeMs(answer.headers, now(), LIFETIME)
      return { value: { wellKnown, failures: 0, confirmedAt: now() }, ttlMs }
    } catch (error) {
      if (signal.aborted || !isRequestFailure(error)) throw error
      return unconfirmed(error.message, before)
    }
  }

  return {
    async find(host, policy, signal) {
      // A separate cache entry per policy: an operator's server may reach addresses that others may not.
      const audience = policy === ALLOW_ALL ? 'named' : 'others'
      const key = `${audience} ${host.host}`
      const found = await cache.get(
        key,
        (before, shared) => load(host, policy, before, shared),
        signal,
      )
      return found.wellKnown
    },
  }
}
