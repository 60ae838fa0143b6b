import type { CancellationSignal } from '../lib/cancellation.ts'
import { withDeadline } from '../lib/deadline.ts'
import { GateRefusal } from '../lib/gate.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import type { DirectClient } from '../net/direct-client.ts'
import { type AddressPolicy, canonicalAddress } from '../net/networks.ts'
import { isRequestFailure } from '../net/request-failure.ts'
import type { TargetClient } from '../net/target-client.ts'
import type { Trouble } from '../trouble.ts'
import type { Discovery } from './discovery.ts'
import { exchangeTrouble } from './exchange-trouble.ts'
import type { AskedServer, ServerGates } from './server-gates.ts'
import { parseServerName, type ServerName } from './server-name.ts'
import {
  type FederationCode,
  VerificationError,
  type VerificationStep,
} from './verification-error.ts'

/** The client that wants to know. */
export interface Asker {
  /** The same for all requests of one client; `undefined` if it is not known. */
  readonly key?: string | undefined
  /** Fires when the client no longer needs the answer. */
  readonly signal: CancellationSignal
}

/** Asks homeservers over the federation API. */
export interface Federation {
  /**
   * Sends a GET request to the homeserver of a server name. Redirects are not followed.
   *
   * @param path - path and query
   * @param asker - on whose behalf it is asked: one client does not hold up the others
   * @throws {VerificationError} when there is no usable answer
   */
  get(serverName: string, path: string, asker?: Asker): Promise<Answer>
}

/** Settings of {@link createFederation}. */
export interface FederationOptions {
  readonly discovery: Discovery
  readonly client: TargetClient
  /** For servers with an override. */
  readonly direct: DirectClient
  /** Whether the operator named a server, in the list of full access or by an override. */
  readonly isNamed: (serverName: string) => boolean
  /** Which addresses discovery may lead to. */
  readonly policyFor: (serverName: string) => AddressPolicy
  /** Operator's base URL by server name; replaces discovery. */
  readonly overrides: ReadonlyMap<string, string>
  /** Timeout of a whole exchange. */
  readonly timeoutMs?: number | undefined
  /** Limits exchanges under way. */
  readonly gates: ServerGates
}

/** A key that is the same for all spellings of a server name. */
function keyOf({ kind, host, port }: ServerName): string {
  const name = kind === 'ipv6' ? canonicalAddress(host) : host.replace(/\.$/, '')
  return `${name} ${port ?? ''}`
}

/** What a server name says by itself. */
interface KnownServer extends AskedServer {
  readonly name: ServerName
}

/** Reading a name takes longer than finding what was read before. */
const MAX_REMEMBERED = 1_000

interface Progress {
  step: VerificationStep
  notes: readonly string[]
}

const INVALID_NAME = {
  code: 'federation.invalid-name',
  found: 'not a valid server name',
} as const
const HUNG_UP = { code: 'federation.given-up', found: 'the client hung up' } as const

function troubleOf(error: unknown, { notes }: Progress): Trouble<FederationCode> | undefined {
  if (!isRequestFailure(error) && !(error instanceof GateRefusal)) return undefined
  return exchangeTrouble('federation', error, notes)
}

/** Creates the client through which all requests to unknown homeservers go. */
export function createFederation(options: FederationOptions): Federation {
  const { discovery, client, direct, overrides, isNamed, policyFor } = options
  const { timeoutMs = 10_000, gates } = options
  const remembered = new Map<string, KnownServer>()

  function serverOf(serverName: string): KnownServer | undefined {
    const known = remembered.get(serverName)
    if (known !== undefined) return known
    const name = parseServerName(serverName)
    if (name === undefined) return undefined
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    const server = { name, key: keyOf(name), isNamed: isNamed(serverName) }
    remembered.set(serverName, server)
    return server
  }

  async function askDiscovered(
    name: ServerName,
    path: string,
    signal: CancellationSignal,
    progress: Progress,
  ) {
    const policy = policyFor(name.text)
    progress.step = 'discovery'
    const { targets, notes } = await discovery.discover(name, policy, signal)
    signal.throwIfAborted()
    progress.step = 'connect'
    progress.notes = notes
    return client.request(targets, { method: 'GET', path }, policy, signal)
  }

  function ask(name: ServerName, path: string, signal: CancellationSignal, progress: Progress) {
    const base = overrides.get(name.text)
    if (base === undefined) return askDiscovered(name, path, signal, progress)
    progress.step = 'connect'
    return direct(base, { method: 'GET', path }, signal)
  }

  return {
    async get(serverName, path, asker) {
      const outer = asker?.signal
      const server = serverOf(serverName)
      if (server === undefined) throw new VerificationError('server-name', INVALID_NAME)
      const progress: Progress = { step: 'queue', notes: [] }
      try {
        return await withDeadline(timeoutMs, outer, (cancellation) => {
          const task = (inner: CancellationSignal) => ask(server.name, path, inner, progress)
          return gates.run(server, cancellation, task, asker?.key)
        })
      } catch (error) {
        const trouble = outer?.aborted ? HUNG_UP : troubleOf(error, progress)
        if (trouble === undefined) throw error
        throw new VerificationError(progress.step, trouble)
      }
    },
  }
}
