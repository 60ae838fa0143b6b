import { memberOf, parseJson, textMember } from '../lib/json.ts'
import { cacheLifetimeMs, type LifetimeBounds } from '../net/cache-lifetime.ts'
import { withDeadline } from '../net/deadline.ts'
import type { Answer } from '../net/exchange.ts'
import { ExpiringCache, type Loaded } from '../net/expiring-cache.ts'
import { isRequestFailure } from '../net/failures.ts'
import { Gate, type GateLimits, GateRefusal } from '../net/gate.ts'
import type { AddressPolicy } from '../net/networks.ts'
import { failureText } from './failure-text.ts'
import { parseServerName } from './server-name.ts'
import type { GetWellKnown } from './well-known-document.ts'

/** Where a homeserver's client API is. */
export type ClientApiLocation =
  | { readonly kind: 'found'; readonly baseUrl: string }
  /** It says so itself, or says nothing that can be used. */
  | { readonly kind: 'none'; readonly reason: string }
  /** It could not be asked; it may be later. */
  | { readonly kind: 'unknown'; readonly reason: string }

/** Locates client APIs. */
export interface ClientApiLocator {
  /**
   * Asks `/.well-known/matrix/client` of a server name, unless the operator has said where it is.
   *
   * @see https://spec.matrix.org/latest/client-server-api/#getwell-knownmatrixclient
   */
  locate(serverName: string): Promise<ClientApiLocation>
}

/** Settings of {@link createClientApiLocator}. */
export interface ClientApiLocatorOptions {
  readonly getWellKnown: GetWellKnown
  readonly policyFor: (serverName: string) => AddressPolicy
  /** Base URL by server name, used instead of discovery. */
  readonly overrides: ReadonlyMap<string, string>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly timeoutMs?: number | undefined
}

const PATH = '/.well-known/matrix/client'
const MAX_ENTRIES = 10_000
const MINUTE_MS = 60_000
const LIFETIME: LifetimeBounds = { defaultMs: 6 * 60 * MINUTE_MS, maxMs: 24 * 60 * MINUTE_MS }
const MIN_LIFETIME_MS = 5 * MINUTE_MS
const FAILURE_LIFETIME_MS = MINUTE_MS

/** One request for a name is shared by all who want it. */
const LIMITS: GateLimits = { perKey: 1, total: 32, maxWaiting: 1_024 }

function parseBaseUrl(body: string): string | undefined {
  const url = URL.parse(textMember(memberOf(parseJson(body), 'm.homeserver'), 'base_url') ?? '')
  if (url === null || url.protocol !== 'https:') return undefined
  if (url.username !== '' || url.password !== '') return undefined
  if (url.search !== '' || url.hash !== '') return undefined
  if (parseServerName(url.host) === undefined) return undefined
  return (url.origin + url.pathname).replace(/\/+$/, '')
}

function read({ status, body }: Answer): ClientApiLocation {
  if (status >= 500 || status === 429) return { kind: 'unknown', reason: `status ${status}` }
  if (status !== 200) return { kind: 'none', reason: `status ${status}` }
  const baseUrl = parseBaseUrl(body)
  if (baseUrl !== undefined) return { kind: 'found', baseUrl }
  return { kind: 'none', reason: '"base_url" of "m.homeserver" is no https URL' }
}

function reasonOf(error: unknown): string | undefined {
  if (error instanceof GateRefusal) return error.message
  return isRequestFailure(error) ? failureText(error) : undefined
}

/** Makes a locator that caches what it finds for hours, and failures for a minute. */
export function createClientApiLocator(options: ClientApiLocatorOptions): ClientApiLocator {
  const { getWellKnown, policyFor, overrides, now, timeoutMs = 5_000 } = options
  const gate = new Gate(LIMITS)
  const cache = new ExpiringCache<ClientApiLocation>({ maxEntries: MAX_ENTRIES, now })

  async function ask(serverName: string): Promise<Loaded<ClientApiLocation>> {
    const name = parseServerName(serverName)
    if (name === undefined) {
      return { value: { kind: 'none', reason: 'not a valid server name' }, ttlMs: 0 }
    }
    const answer = await withDeadline(timeoutMs, undefined, (signal) => {
      return gate.run(serverName, signal, () => {
        return getWellKnown(name, PATH, policyFor(serverName), signal)
      })
    })
    const value = read(answer)
    if (value.kind !== 'found') return { value, ttlMs: FAILURE_LIFETIME_MS }
    const ttlMs = Math.max(cacheLifetimeMs(answer.headers, now(), LIFETIME), MIN_LIFETIME_MS)
    return { value, ttlMs }
  }

  async function load(
    serverName: string,
    before: ClientApiLocation | undefined,
  ): Promise<Loaded<ClientApiLocation>> {
    try {
      const loaded = await ask(serverName)
      if (loaded.value.kind !== 'unknown' || before?.kind !== 'found') return loaded
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === undefined) throw error
      if (before?.kind !== 'found') {
        return { value: { kind: 'unknown', reason }, ttlMs: FAILURE_LIFETIME_MS }
      }
    }
    // A homeserver that is away for a while has hardly moved.
    return { value: before, ttlMs: FAILURE_LIFETIME_MS }
  }

  return {
    async locate(serverName) {
      const override = overrides.get(serverName)
      if (override !== undefined) return { kind: 'found', baseUrl: override }
      return cache.get(serverName, (before) => load(serverName, before))
    },
  }
}
