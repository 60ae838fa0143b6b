import { withDeadline } from '../lib/deadline.ts'
import { ExpiringCache } from '../lib/expiring-cache.ts'
import type { RequestClientApi } from './client-api-request.ts'
import { advertisedPrefix, type DelayedEventPrefix, VERSIONS_PATH } from './delayed-events.ts'

/** Knows which path prefix each homeserver uses for delayed events. */
export interface DelayedEventPrefixes {
  /** The prefix to try first. */
  find(serverName: string, baseUrl: string): Promise<DelayedEventPrefix>
  /** Remembers a prefix that worked. */
  remember(baseUrl: string, prefix: DelayedEventPrefix): void
}

const MAX_ENTRIES = 10_000
const LIFETIME_MS = 3_600_000
const GUESS_LIFETIME_MS = 300_000
const GUESS: DelayedEventPrefix = 'unstable'

/**
 * Creates a finder of prefixes, which asks `/_matrix/client/versions`.
 *
 * @param timeoutMs - timeout of that request; it must leave time for the actual attempt
 */
export function createDelayedEventPrefixes(
  request: RequestClientApi,
  timeoutMs: number,
  now: () => number,
): DelayedEventPrefixes {
  const cache = new ExpiringCache<DelayedEventPrefix>({ maxEntries: MAX_ENTRIES, now })

  async function ask(serverName: string, baseUrl: string) {
    const answer = await withDeadline(timeoutMs, undefined, (signal) => {
      const call = { method: 'GET', path: VERSIONS_PATH } as const
      return request(serverName, baseUrl, call, signal)
    })
    const advertised = advertisedPrefix(answer)
    if (advertised !== undefined) return { value: advertised, ttlMs: LIFETIME_MS }
    return { value: GUESS, ttlMs: GUESS_LIFETIME_MS }
  }

  return {
    async find(serverName, baseUrl) {
      return cache.get(baseUrl, () => ask(serverName, baseUrl)).catch(() => GUESS)
    },
    remember(baseUrl, prefix) {
      cache.put(baseUrl, prefix, LIFETIME_MS)
    },
  }
}
