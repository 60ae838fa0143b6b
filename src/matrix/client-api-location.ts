import type { CancellationSignal } from '../lib/cancellation.ts'
import { withDeadline } from '../lib/deadline.ts'
import { ExpiringCache, type Loaded } from '../lib/expiring-cache.ts'
import { GateRefusal } from '../lib/gate.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import { cacheLifetimeMs, type LifetimeBounds } from '../net/cache-lifetime.ts'
import type { AddressPolicy } from '../net/networks.ts'
import { isRequestFailure } from '../net/request-failure.ts'
import type { TargetClient } from '../net/target-client.ts'
import type { Trouble } from '../trouble.ts'
import { readBaseUrl } from './client-api-base-url.ts'
import {
  answerText,
  documentText,
  type ExchangeProblem,
  exchangeTrouble,
} from './exchange-trouble.ts'
import type { ServerGates } from './server-gates.ts'
import { parseServerName, targetOf } from './server-name.ts'
import type { GetWellKnown } from './well-known.ts'

/** Why a client API could not be located or asked. */
export type ClientApiCode =
  | `client-api.${ExchangeProblem}`
  | 'client-api.invalid-name'
  | 'client-api.no-well-known'
  | 'client-api.bad-well-known'

/** Result of locating the client API of a homeserver. */
export type ClientApiLocation =
  | { readonly kind: 'found'; readonly baseUrl: string }
  /** The server has none, or names an unusable one. */
  | { readonly kind: 'none'; readonly trouble: Trouble<ClientApiCode> }
  /** The look-up failed; a retry may succeed. */
  | { readonly kind: 'unknown'; readonly trouble: Trouble<ClientApiCode> }

/** Locates client APIs. */
export interface ClientApiLocator {
  /**
   * Looks up `/.well-known/matrix/client` of a server name, unless the operator configured an override.
   *
   * @see https://spec.matrix.org/latest/client-server-api/#getwell-knownmatrixclient
   */
  locate(serverName: string): Promise<ClientApiLocation>
  /**
   * Like {@link locate}, but also checks that the client API has an address that is not denied.
   *
   * @param signal - fires when the caller no longer needs the answer
   */
  locateUsable(serverName: string, signal?: CancellationSignal): Promise<ClientApiLocation>
}

/** Settings of {@link createClientApiLocator}. */
export interface ClientApiLocatorOptions {
  readonly getWellKnown: GetWellKnown
  /** Checks addresses against the policy. */
  readonly client: Pick<TargetClient, 'check'>
  /** Whether the operator listed a server by name. */
  readonly isNamed: (serverName: string) => boolean
  readonly policyFor: (serverName: string) => AddressPolicy
  /** Operator's base URL by server name; replaces discovery. */
  readonly overrides: ReadonlyMap<string, string>
  /** Limits look-ups under way. */
  readonly gates: ServerGates
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly timeoutMs?: number | undefined
}

/** Path of the well-known document of clients. */
export const CLIENT_WELL_KNOWN_PATH = '/.well-known/matrix/client'
const MAX_ENTRIES = 10_000
const MINUTE_MS = 60_000
const LIFETIME: LifetimeBounds = { defaultMs: 6 * 60 * MINUTE_MS, maxMs: 24 * 60 * MINUTE_MS }
const MIN_LIFETIME_MS = 5 * MINUTE_MS
const FAILURE_LIFETIME_MS = MINUTE_MS
/** Users of a server that the operator named must not wait for a minute once it is back. */
const NAMED_FAILURE_LIFETIME_MS = 5_000
/**
 * How long a server stays proven after a look-up: longer than an answer is cached, so that a known one is
 * still proven when the cache expires.
 */
export const PROVEN_FOR_MS = 2 * LIFETIME.maxMs

const INVALID_NAME = {
  code: 'client-api.invalid-name',
  found: 'not a valid server name',
} as const
const HUNG_UP = { code: 'client-api.given-up', found: 'the client hung up' } as const

/** Reads the answer to the question for the well-known document of clients. */
export function readLocation(answer: Answer): ClientApiLocation {
  const { status, body } = answer
  const found = answerText(answer, CLIENT_WELL_KNOWN_PATH)
  if (status >= 500 || status === 429) {
    return { kind: 'unknown', trouble: { code: 'client-api.unavailable', found } }
  }
  if (status !== 200) {
    return { kind: 'none', trouble: { code: 'client-api.no-well-known', found } }
  }
  const read = readBaseUrl(body)
  if (read.kind === 'usable') return { kind: 'found', baseUrl: read.baseUrl }
  const what = documentText(answer, CLIENT_WELL_KNOWN_PATH)
  const trouble = { code: 'client-api.bad-well-known', found: `${what}, ${read.lack}` } as const
  return { kind: 'none', trouble }
}

function troubleOf(error: unknown): Trouble<ClientApiCode> | undefined {
  const isExpected = error instanceof GateRefusal || isRequestFailure(error)
  return isExpected ? exchangeTrouble('client-api', error) : undefined
}

/** Creates a locator that caches locations for hours, and failures for a minute at most. */
export function createClientApiLocator(options: ClientApiLocatorOptions): ClientApiLocator {
  const { getWellKnown, client, isNamed, policyFor, overrides } = options
  const { gates, now, timeoutMs = 5_000 } = options
  const cache = new ExpiringCache<ClientApiLocation>({ maxEntries: MAX_ENTRIES, now })

  function failureLifetimeMs(serverName: string): number {
    return isNamed(serverName) ? NAMED_FAILURE_LIFETIME_MS : FAILURE_LIFETIME_MS
  }

  async function ask(
    serverName: string,
    outer: CancellationSignal,
  ): Promise<Loaded<ClientApiLocation>> {
    const name = parseServerName(serverName)
    if (name === undefined) {
      return { value: { kind: 'none', trouble: INVALID_NAME }, ttlMs: 0 }
    }
    const answer = await withDeadline(timeoutMs, outer, (cancellation) => {
      const server = { key: serverName, isNamed: isNamed(serverName) }
      return gates.run(server, cancellation, (inner) => {
        return getWellKnown(name, CLIENT_WELL_KNOWN_PATH, policyFor(serverName), inner)
      })
    })
    const value = readLocation(answer)
    if (value.kind !== 'found') return { value, ttlMs: failureLifetimeMs(serverName) }
    const ttlMs = Math.max(cacheLifetimeMs(answer.headers, now(), LIFETIME), MIN_LIFETIME_MS)
    return { value, ttlMs }
  }

  async function load(
    serverName: string,
    before: ClientApiLocation | undefined,
    signal: CancellationSignal,
  ): Promise<Loaded<ClientApiLocation>> {
    try {
      const loaded = await ask(serverName, signal)
      if (loaded.value.kind !== 'unknown' || before?.kind !== 'found') return loaded
    } catch (error) {
      const trouble = troubleOf(error)
      if (signal.aborted || trouble === undefined) throw error
      if (before?.kind !== 'found') {
        return { value: { kind: 'unknown', trouble }, ttlMs: failureLifetimeMs(serverName) }
      }
    }
    // A homeserver that is down has most likely not moved: keep the last location.
    return { value: before, ttlMs: failureLifetimeMs(serverName) }
  }

  async function locate(
    serverName: string,
    signal?: CancellationSignal,
  ): Promise<ClientApiLocation> {
    const override = overrides.get(serverName)
    if (override !== undefined) return { kind: 'found', baseUrl: override }
    try {
      const find = (before: ClientApiLocation | undefined, shared: CancellationSignal) =>
        load(serverName, before, shared)
      return await cache.get(serverName, find, signal)
    } catch (error) {
      if (!signal?.aborted) throw error
      return { kind: 'unknown', trouble: HUNG_UP }
    }
  }

  /** Why a client API cannot be used; `undefined` if it can. */
  async function findObstacle(
    serverName: string,
    baseUrl: string,
  ): Promise<Trouble<ClientApiCode> | undefined> {
    const name = parseServerName(new URL(baseUrl).host)
    if (name === undefined) return INVALID_NAME
    try {
      await client.check(targetOf(name, 443), policyFor(serverName))
      return undefined
    } catch (error) {
      if (!isRequestFailure(error)) throw error
      return exchangeTrouble('client-api', error)
    }
  }

  return {
    locate: (serverName) => locate(serverName),
    async locateUsable(serverName, signal) {
      const location = await locate(serverName, signal)
      if (location.kind !== 'found' || overrides.has(serverName)) return location
      const obstacle = await findObstacle(serverName, location.baseUrl)
      return obstacle === undefined ? location : { kind: 'none', trouble: obstacle }
    },
  }
}
