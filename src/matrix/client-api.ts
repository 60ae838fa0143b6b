import { withDeadline } from '../net/deadline.ts'
import type { DirectClient } from '../net/direct-client.ts'
import type { Answer, Call } from '../net/exchange.ts'
import { ExpiringCache } from '../net/expiring-cache.ts'
import type { AddressPolicy } from '../net/networks.ts'
import type { TargetClient } from '../net/target-client.ts'
import {
  advertisedPrefix,
  type DelayedEventAction,
  type DelayedEventAnswer,
  type DelayedEventPrefix,
  delayedEventPath,
  readDelayedEventAnswer,
} from './delayed-events.ts'
import { parseServerName } from './server-name.ts'
import { targetOf } from './target.ts'

/** Acts on delayed events through the client API of homeservers. */
export interface ClientApi {
  /**
   * Restarts or sends a delayed event. It never fails: whatever goes wrong can be tried again.
   *
   * @param baseUrl - of the client API
   */
  actOnDelayedEvent(
    serverName: string,
    baseUrl: string,
    delayId: string,
    action: DelayedEventAction,
    signal: AbortSignal,
  ): Promise<DelayedEventAnswer>
}

/** Settings of {@link createClientApi}. */
export interface ClientApiOptions {
  readonly client: TargetClient
  /** For those whose place the operator has said. */
  readonly direct: DirectClient
  readonly policyFor: (serverName: string) => AddressPolicy
  /** Server names whose client API the operator has said the place of. */
  readonly overrides: ReadonlyMap<string, string>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** How long one request may take. */
  readonly timeoutMs?: number | undefined
}

const MAX_ENTRIES = 10_000
const PREFIX_LIFETIME_MS = 3_600_000
const GUESS_LIFETIME_MS = 300_000
const FAILED: DelayedEventAnswer = { kind: 'failed', retryAfterMs: undefined }

function otherThan(prefix: DelayedEventPrefix): DelayedEventPrefix {
  return prefix === 'stable' ? 'unstable' : 'stable'
}

/** Makes a client of the client API. */
export function createClientApi(options: ClientApiOptions): ClientApi {
  const { client, direct, policyFor, overrides, now, timeoutMs = 5_000 } = options
  const prefixes = new ExpiringCache<DelayedEventPrefix>({ maxEntries: MAX_ENTRIES, now })

  function send(
    serverName: string,
    baseUrl: string,
    call: Call,
    signal: AbortSignal,
  ): Promise<Answer> {
    if (overrides.get(serverName) === baseUrl) return direct(baseUrl, call, signal)
    const url = new URL(baseUrl)
    const name = parseServerName(url.host)
    if (name === undefined) throw new Error('the base URL of a client API names no usable host')
    const path = url.pathname.replace(/\/+$/, '') + call.path
    return client.request([targetOf(name, 443)], { ...call, path }, policyFor(serverName), signal)
  }

  function prefixOf(serverName: string, baseUrl: string, signal: AbortSignal) {
    return prefixes.get(baseUrl, async () => {
      const call: Call = { method: 'GET', path: '/_matrix/client/versions' }
      const advertised = advertisedPrefix(await send(serverName, baseUrl, call, signal))
      if (advertised !== undefined) return { value: advertised, ttlMs: PREFIX_LIFETIME_MS }
      return { value: 'unstable', ttlMs: GUESS_LIFETIME_MS }
    })
  }

  return {
    async actOnDelayedEvent(serverName, baseUrl, delayId, action, outer) {
      async function attempt(signal: AbortSignal): Promise<DelayedEventAnswer> {
        const prefix = await prefixOf(serverName, baseUrl, signal).catch(() => 'unstable' as const)
        const call = async (by: DelayedEventPrefix) => {
          const path = delayedEventPath(by, delayId, action)
          const answer = send(serverName, baseUrl, { method: 'POST', path, body: '{}' }, signal)
          return readDelayedEventAnswer(await answer, now())
        }
        const answer = await call(prefix)
        if (answer.kind !== 'unrecognized') return answer
        const second = await call(otherThan(prefix))
        if (second.kind === 'unrecognized') return FAILED
        prefixes.put(baseUrl, otherThan(prefix), PREFIX_LIFETIME_MS)
        return second
      }
      return withDeadline(timeoutMs, outer, attempt).catch(() => FAILED)
    },
  }
}
