import { withDeadline } from '../net/deadline.ts'
import type { DirectClient } from '../net/direct-client.ts'
import type { Answer } from '../net/exchange.ts'
import { isRequestFailure } from '../net/failures.ts'
import { Gate, type GateLimits, GateRefusal } from '../net/gate.ts'
import type { AddressPolicy } from '../net/networks.ts'
import { type TargetClient, UnreachableError } from '../net/target-client.ts'
import type { Discovery } from './discovery.ts'
import { parseServerName } from './server-name.ts'
import { VerificationError, type VerificationStep } from './verification-error.ts'

/** Asks homeservers over the federation API. */
export interface Federation {
  /**
   * Sends a GET request to the homeserver of a server name. Redirects are not followed.
   *
   * @param path - path and query
   * @throws {VerificationError} when there is no usable answer
   */
  get(serverName: string, path: string): Promise<Answer>
}

/** Settings of {@link createFederation}. */
export interface FederationOptions {
  readonly discovery: Discovery
  readonly client: TargetClient
  /** For those whose place the operator has said. */
  readonly direct: DirectClient
  /** Where discovery may lead to for a server name. */
  readonly policyFor: (serverName: string) => AddressPolicy
  /** Base URL by server name, used instead of discovery. */
  readonly overrides: ReadonlyMap<string, string>
  /** How long one exchange may take in all. */
  readonly timeoutMs?: number | undefined
  readonly limits?: GateLimits
}

/**
 * The runtime makes at most 256 requests at once; the rest of them are kept free for the SFU and for
 * delegations, so that slow homeservers cannot hold up calls.
 */
const LIMITS: GateLimits = { perKey: 16, total: 128, maxWaiting: 4_096 }

interface Progress {
  step: VerificationStep
  notes: readonly string[]
}

function describe(error: unknown, { notes }: Progress): string | undefined {
  if (!isRequestFailure(error) && !(error instanceof GateRefusal)) return undefined
  const hint =
    error instanceof UnreachableError && error.denied.length > 0
      ? [`LIVEKIT_FEDERATION_ALLOW_NETWORKS=${error.denied.join(',')} would allow it`]
      : []
  return [error.message, ...hint, ...notes].join('; ')
}

/** Makes the one door through which strangers' homeservers are reached. */
export function createFederation(options: FederationOptions): Federation {
  const { discovery, client, direct, overrides, policyFor, timeoutMs = 10_000 } = options
  const gate = new Gate(options.limits ?? LIMITS)

  async function askDiscovered(
    serverName: string,
    path: string,
    signal: AbortSignal,
    progress: Progress,
  ) {
    const name = parseServerName(serverName)
    if (name === undefined) throw new VerificationError('server-name', 'not a valid server name')
    const policy = policyFor(serverName)
    progress.step = 'discovery'
    const { targets, notes } = await discovery.discover(name, policy)
    progress.step = 'connect'
    progress.notes = notes
    return client.request(targets, { method: 'GET', path }, policy, signal)
  }

  function ask(serverName: string, path: string, signal: AbortSignal, progress: Progress) {
    const base = overrides.get(serverName)
    if (base === undefined) return askDiscovered(serverName, path, signal, progress)
    progress.step = 'connect'
    return direct(base, { method: 'GET', path }, signal)
  }

  return {
    async get(serverName, path) {
      const progress: Progress = { step: 'queue', notes: [] }
      try {
        return await withDeadline(timeoutMs, undefined, (signal) => {
          return gate.run(serverName, signal, () => ask(serverName, path, signal, progress))
        })
      } catch (error) {
        const cause = describe(error, progress)
        if (cause === undefined) throw error
        throw new VerificationError(progress.step, cause)
      }
    },
  }
}
