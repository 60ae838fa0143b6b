import { isIP } from 'node:net'
import { assembleReach } from '../../app/homeservers.ts'
import type { Tuning } from '../../app/options.ts'
import type { Config } from '../../config.ts'
import type { CancellationSignal } from '../../lib/cancellation.ts'
import { withDeadline } from '../../lib/deadline.ts'
import type { RequestClientApi } from '../../matrix/client-api-request.ts'
import type { Discovery } from '../../matrix/discovery.ts'
import type { ServerName } from '../../matrix/server-name.ts'
import type { GetWellKnown } from '../../matrix/well-known.ts'
import type { DirectClient } from '../../net/direct-client.ts'
import { type AddressPolicy, denyingNetwork } from '../../net/networks.ts'
import type { Resolver } from '../../net/resolver.ts'
import type { TargetClient } from '../../net/target-client.ts'
import type { Clocks } from './clock-skew.ts'
import type { Report } from './report.ts'

/** The service's own ways to a homeserver, for one that is looked at. */
export interface HomeserverClients {
  /** Where discovery may lead to for this homeserver. */
  readonly policy: AddressPolicy
  readonly resolver: Resolver
  readonly client: TargetClient
  readonly direct: DirectClient
  readonly discovery: Discovery
  readonly getWellKnown: GetWellKnown
  readonly request: RequestClientApi
  /** Bounds a question. */
  inTime<T>(question: (signal: CancellationSignal) => Promise<T>): Promise<T>
}

const TIMEOUT_MS = 10_000

/** Creates {@link HomeserverClients} as the service itself has them. */
export function createHomeserverClients(
  serverName: string,
  config: Config,
  now: () => number,
  tuning: Tuning,
): HomeserverClients {
  const reach = assembleReach({ config, now, random: Math.random, tuning })
  const inTime = <T>(question: (signal: CancellationSignal) => Promise<T>) =>
    withDeadline(tuning.exchangeTimeoutMs ?? TIMEOUT_MS, undefined, question)
  return { ...reach, policy: reach.policyFor(serverName), inTime }
}

/** What the checks of a homeserver need. */
export interface ServerCheckParts {
  readonly name: ServerName
  readonly clients: HomeserverClients
  readonly config: Config
  readonly report: Report
  readonly clocks: Clocks
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly tuning: Tuning
}

/** The addresses of a host that the policy permits. */
export async function permittedAddresses(
  { resolver, policy }: HomeserverClients,
  host: string,
): Promise<readonly string[]> {
  const addresses = isIP(host) === 0 ? await resolver.addresses(host).catch(() => []) : [host]
  return addresses.filter((address) => denyingNetwork(address, policy) === undefined)
}
