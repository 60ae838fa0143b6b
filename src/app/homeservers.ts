import type { Config } from '../config.ts'
import { isNamed } from '../exchange/access.ts'
import { requestBudget } from '../lib/request-budget.ts'
import { createClientApi } from '../matrix/client-api.ts'
import { createClientApiLocator, PROVEN_FOR_MS } from '../matrix/client-api-location.ts'
import { createClientApiRequest } from '../matrix/client-api-request.ts'
import { createDiscovery } from '../matrix/discovery.ts'
import { locationLimits, verificationLimits } from '../matrix/exchange-limits.ts'
import { createFederation } from '../matrix/federation.ts'
import { createOpenIdVerifier } from '../matrix/openid.ts'
import { createServerGates } from '../matrix/server-gates.ts'
import { createWellKnownClient, createWellKnownLookup } from '../matrix/well-known.ts'
import { createProxiedClient } from '../net/address-client.ts'
import { createDirectClient } from '../net/direct-client.ts'
import { createHttpsClient } from '../net/https-client.ts'
import { ALLOW_ALL } from '../net/networks.ts'
import { createResolver } from '../net/resolver.ts'
import { createTargetClient } from '../net/target-client.ts'
import { countVerifications } from './counting.ts'
import type { AppOptions } from './options.ts'

/** Whether the operator named a server, by listing it or as the homeserver of this service. */
export function isListed(
  { fullAccess, applicationService }: Pick<Config, 'fullAccess' | 'applicationService'>,
  serverName: string,
): boolean {
  return isNamed(serverName, fullAccess) || serverName === applicationService?.serverName
}

/** Assembles the ways to homeservers that anybody can name, and to those with an override. */
export function assembleReach({ config, now, random, tuning = {} }: ReachOptions) {
  const { verifyTls, addressPolicy } = config
  const { ca, attemptMs, wellKnownTimeoutMs } = tuning
  // The deny list protects against addresses that strangers choose; servers that the operator named are exempt.
  const policyFor = (name: string) => (isListed(config, name) ? ALLOW_ALL : addressPolicy)
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
  const wellKnown = createWellKnownLookup({ getWellKnown, now, timeoutMs: wellKnownTimeoutMs })
  const discovery = createDiscovery({
    wellKnown,
    resolver,
    random,
    defaultPort: tuning.federationPort,
  })
  const overrides = config.clientApiOverrides
  const request = createClientApiRequest({ client, direct, policyFor, overrides })
  return { policyFor, resolver, client, direct, getWellKnown, discovery, request }
}

/** What {@link assembleReach} needs. */
export type ReachOptions = Pick<AppOptions, 'config' | 'now' | 'random' | 'tuning'>

/** The clients of homeservers. */
export type Homeservers = ReturnType<typeof assembleHomeservers>

/** Assembles the clients of homeservers. */
export function assembleHomeservers(options: AppOptions) {
  const { config, now, tuning = {} } = options
  const budget = requestBudget(options.requestCap)
  const { federationOverrides, clientApiOverrides } = config
  const isKnown = (name: string) => isListed(config, name) || federationOverrides.has(name)
  const { policyFor, client, direct, getWellKnown, discovery, request } = assembleReach(options)

  const verifications = createServerGates(verificationLimits(budget.verifications), now)
  const locations = createServerGates(locationLimits(budget.locations), now, PROVEN_FOR_MS)
  const federation = createFederation({
    gates: verifications,
    discovery,
    client,
    direct,
    isNamed: isKnown,
    policyFor,
    overrides: federationOverrides,
    timeoutMs: tuning.exchangeTimeoutMs,
  })
  const locator = createClientApiLocator({
    gates: locations,
    getWellKnown,
    client,
    isNamed: (name) => isListed(config, name),
    policyFor,
    overrides: clientApiOverrides,
    now,
    timeoutMs: tuning.wellKnownTimeoutMs,
  })
  const clientApi = createClientApi({ request, now, timeoutMs: tuning.clientApiTimeoutMs })
  const verifyToken = createOpenIdVerifier(federation)
  const verify = countVerifications(verifyToken, isKnown, options.metrics)
  return { verify, locator, clientApi, request, gates: { verifications, locations } }
}
