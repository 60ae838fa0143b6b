import { isIP } from 'node:net'
import type { Tuning } from '../../app/options.ts'
import type { Config } from '../../config.ts'
import { isNamed } from '../../exchange/access.ts'
import { withDeadline } from '../../lib/deadline.ts'
import { createClientApiRequest, type RequestClientApi } from '../../matrix/client-api-request.ts'
import { createDiscovery, type Discovery } from '../../matrix/discovery.ts'
import type { ServerName } from '../../matrix/server-name.ts'
import type { GetWellKnown } from '../../matrix/well-known.ts'
import { createWellKnownClient, createWellKnownLookup } from '../../matrix/well-known.ts'
import { createProxiedClient } from '../../net/address-client.ts'
import { createDirectClient, type DirectClient } from '../../net/direct-client.ts'
import { createHttpsClient } from '../../net/https-client.ts'
import { type AddressPolicy, ALLOW_ALL, denyingNetwork } from '../../net/networks.ts'
import { createResolver, type Resolver } from '../../net/resolver.ts'
import { createTargetClient, type TargetClient } from '../../net/target-client.ts'
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
  inTime<T>(question: (signal: AbortSignal) => Promise<T>): Promise<T>
}

const TIMEOUT_MS = 10_000

/** Creates {@link HomeserverClients} as the service itself has them. */
export function createHomeserverClients(
  serverName: string,
  config: Config,
  now: () => number,
  tuning: Tuning,
): HomeserverClients {
  const { verifyTls, addressPolicy, clientApiOverrides: overrides, applicationService } = config
  const { ca, attemptMs, wellKnownTimeoutMs: timeoutMs } = tuning
  const isOwn =
    isNamed(serverName, config.fullAccess) || serverName === applicationService?.serverName
  const policy = isOwn ? ALLOW_ALL : addressPolicy
  const resolver = createResolver({ now, timeoutMs: tuning.dnsTimeoutMs })
  const createClient = config.usesHttpsProxy ? createProxiedClient : createHttpsClient
  const client = createTargetClient({
    resolver,
    send: createClient({ verifyTls, ca }),
    now,
    attemptMs,
  })
  const direct = createDirectClient({ verifyTls, ca })
  const getWellKnown = createWellKnownClient(client, tuning.wellKnownPort)
  const discovery = createDiscovery({
    wellKnown: createWellKnownLookup({ getWellKnown, now, timeoutMs }),
    resolver,
    random: Math.random,
    defaultPort: tuning.federationPort,
  })
  const request = createClientApiRequest({ client, direct, policyFor: () => policy, overrides })
  const inTime = <T>(question: (signal: AbortSignal) => Promise<T>) =>
    withDeadline(tuning.exchangeTimeoutMs ?? TIMEOUT_MS, undefined, question)
  return { policy, resolver, client, direct, discovery, getWellKnown, request, inTime }
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
