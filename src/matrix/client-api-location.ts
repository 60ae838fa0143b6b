import { withDeadline } from '../lib/deadline.ts'
import { ExpiringCache, type Loaded } from '../lib/expiring-cache.ts'
import { GateRefusal } from '../lib/gate.ts'
import { memberOf, parseJson, textMember } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import { cacheLifetimeMs, type LifetimeBounds } from '../net/cache-lifetime.ts'
import type { AddressPolicy } from '../net/networks.ts'
import type { TargetClient } from '../net/target-client.ts'
import { isRequestFailure } from '../net/target-client.ts'
import type { ExchangeLimits } from './exchange-limits.ts'
import { createServerGates } from './server-gates.ts'
import { parseServerName, targetOf } from './server-name.ts'
import { failureText } from './verification-error.ts'
import type { GetWellKnown } from './well-known.ts'

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
  /**
   * As {@link locate}; but one that leads to no address that may be connected to is none.
   *
   * @param signal - fires when nobody waits for the answer any more
   */
  locateUsable(serverName: string, signal?: AbortSignal): Promise<ClientApiLocation>
}

/** Settings of {@link createClientApiLocator}. */
export interface ClientApiLocatorOptions {
  readonly getWellKnown: GetWellKnown
  /** Knows which addresses may be connected to. */
  readonly client: Pick<TargetClient, 'check'>
  /** Whether the operator has named a server. */
  readonly isNamed: (serverName: string) => boolean
  readonly policyFor: (serverName: string) => AddressPolicy
  /** Base URL by server name, used instead of discovery. */
  readonly overrides: ReadonlyMap<string, string>
  readonly limits: ExchangeLimits
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
/** Longer than an answer is kept, so that it counts when it has to be asked for again. */
const PROVEN_FOR_MS = 2 * LIFETIME.maxMs

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
  const { getWellKnown, client, isNamed, policyFor, overrides } = options
  const { limits, now, timeoutMs = 5_000 } = options
  const gates = createServerGates(limits, now, PROVEN_FOR_MS)
  const cache = new ExpiringCache<ClientApiLocation>({ maxEntries: MAX_ENTRIES, now })

  async function ask(serverName: string, outer: AbortSignal): Promise<Loaded<ClientApiLocation>> {
    const name = parseServerName(serverName)
    if (name === undefined) {
      return { value: { kind: 'none', reason: 'not a valid server name' }, ttlMs: 0 }
    }
    const answer = await withDeadline(timeoutMs, outer, (_, controller) => {
      const server = { key: serverName, isNamed: isNamed(serverName) }
      return gates.run(server, controller, (inner) => {
        return getWellKnown(name, PATH, policyFor(serverName), inner)
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
    signal: AbortSignal,
  ): Promise<Loaded<ClientApiLocation>> {
    try {
      const loaded = await ask(serverName, signal)
      if (loaded.value.kind !== 'unknown' || before?.kind !== 'found') return loaded
    } catch (error) {
      const reason = reasonOf(error)
      if (signal.aborted || reason === undefined) throw error
      if (before?.kind !== 'found') {
        return { value: { kind: 'unknown', reason }, ttlMs: FAILURE_LIFETIME_MS }
      }
    }
    // A homeserver that is away for a while has hardly moved.
    return { value: before, ttlMs: FAILURE_LIFETIME_MS }
  }

  async function locate(serverName: string, signal?: AbortSignal): Promise<ClientApiLocation> {
    const override = overrides.get(serverName)
    if (override !== undefined) return { kind: 'found', baseUrl: override }
    try {
      const find = (before: ClientApiLocation | undefined, shared: AbortSignal) =>
        load(serverName, before, shared)
      return await cache.get(serverName, find, signal)
    } catch (error) {
      if (!signal?.aborted) throw error
      return { kind: 'unknown', reason: 'the client hung up' }
    }
  }

  /** Why a client API can never be used, or at least not now. */
  async function findObstacle(serverName: string, baseUrl: string): Promise<string | undefined> {
    const name = parseServerName(new URL(baseUrl).host)
    if (name === undefined) return 'the client API is at no usable host'
    try {
      await client.check(targetOf(name, 443), policyFor(serverName))
      return undefined
    } catch (error) {
      if (!isRequestFailure(error)) throw error
      return failureText(error)
    }
  }

  return {
    locate: (serverName) => locate(serverName),
    async locateUsable(serverName, signal) {
      const location = await locate(serverName, signal)
      if (location.kind !== 'found' || overrides.has(serverName)) return location
      const obstacle = await findObstacle(serverName, location.baseUrl)
      return obstacle === undefined ? location : { kind: 'none', reason: obstacle }
    },
  }
}
