import { Elysia } from 'elysia'
import type { Config } from './config.ts'
import { createTokenSigner } from './livekit/access-token.ts'
import { createRoomService } from './livekit/room-service.ts'
import type { Logger } from './log.ts'
import { createDiscovery } from './matrix/discovery.ts'
import { createFederation } from './matrix/federation.ts'
import { createOpenIdVerifier } from './matrix/openid.ts'
import { createWellKnownLookup } from './matrix/well-known.ts'
import { createResolver } from './net/resolver.ts'
import { createTargetClient } from './net/target-client.ts'
import { BROWSER_HEADERS, isBrowserEndpoint } from './routes/browser-endpoints.ts'
import { docsRoutes } from './routes/docs/routes.ts'
import { failureOf, ShuttingDown } from './routes/errors.ts'
import { healthRoutes } from './routes/health.ts'
import { createRequestLog, type RequestLog } from './routes/request-log.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { createTokenExchange, type ExchangeToken } from './token-exchange.ts'

/** Ports, time limits and roots that only tests have a reason to change. */
export interface Tuning {
  /** Trusted roots in PEM form, for homeservers. */
  readonly ca?: string
  readonly wellKnownPort?: number
  readonly federationPort?: number
  readonly wellKnownTimeoutMs?: number
  readonly dnsTimeoutMs?: number
  readonly attemptMs?: number
  readonly exchangeTimeoutMs?: number
  readonly sfuTimeoutMs?: number
}

/** What the service is made of beside its configuration. */
export interface AppOptions {
  readonly config: Config
  readonly logger: Logger
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds since some moment, never going back. */
  readonly monotonicNow: () => number
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number
  readonly tuning?: Tuning
}

/** The service, ready to answer requests. */
export interface App {
  /** Answers one request. */
  fetch(request: Request): Response | Promise<Response>
  /** From now on, refuses new requests. */
  startShutdown(): void
}

function createVerifier({ config, now, random, tuning = {} }: AppOptions) {
  const { verifyTls, fullAccess } = config
  const resolver = createResolver({ now, timeoutMs: tuning.dnsTimeoutMs })
  const client = createTargetClient({
    resolver,
    verifyTls,
    ca: tuning.ca,
    now,
    attemptMs: tuning.attemptMs,
  })
  const wellKnown = createWellKnownLookup({
    client,
    now,
    timeoutMs: tuning.wellKnownTimeoutMs,
    port: tuning.wellKnownPort,
  })
  const discovery = createDiscovery({
    wellKnown,
    resolver,
    random,
    defaultPort: tuning.federationPort,
  })
  const federation = createFederation({
    discovery,
    client,
    policy: config.addressPolicy,
    trustedServers: fullAccess === '*' ? new Set() : fullAccess,
    overrides: config.federationOverrides,
    verifyTls,
    ca: tuning.ca,
    timeoutMs: tuning.exchangeTimeoutMs,
  })
  return createOpenIdVerifier(federation)
}

async function createExchange(options: AppOptions): Promise<ExchangeToken> {
  const { config, now, tuning = {} } = options
  const signer = await createTokenSigner(config.credentials, now)
  const rooms = createRoomService({
    sfuUrl: config.liveKitInternalUrl,
    signer,
    now,
    timeoutMs: tuning.sfuTimeoutMs,
  })
  return createTokenExchange({ ...config, verify: createVerifier(options), rooms, signer })
}

function createRoutes(options: AppOptions, exchangeToken: ExchangeToken, requestLog: RequestLog) {
  const { config, version } = options
  const app = new Elysia({ normalize: false })
  app.use(healthRoutes())
  app.use(tokenRoutes({ exchangeToken, requestLog, liveKitUrl: config.liveKitUrl }))
  if (config.swagger) app.use(docsRoutes(version))
  return app
}

/** Puts the parts together; nothing else constructs them. */
export async function createApp(options: AppOptions): Promise<App> {
  const requestLog = createRequestLog(options.logger, options.monotonicNow)
  const exchangeToken = await createExchange(options)
  let shuttingDown = false

  const app = new Elysia({ normalize: false })
    .onRequest(function receive({ request, set }) {
      set.headers['x-request-id'] = requestLog.begin(request).requestId
      if (isBrowserEndpoint(request.url)) Object.assign(set.headers, BROWSER_HEADERS)
      if (shuttingDown) throw new ShuttingDown()
    })
    .onError(function answerError({ code, error, request, set }) {
      const failure = failureOf(code, error)
      const record = requestLog.of(request)
      record.outcome = failure.errcode
      if (failure.step !== undefined) record.step = failure.step
      if (failure.cause !== undefined) record.cause = failure.cause
      set.status = failure.status
      set.headers['content-type'] = 'application/json'
      return { errcode: failure.errcode, error: failure.error }
    })
    .onAfterResponse(function logRequest({ request, set }) {
      requestLog.end(request, typeof set.status === 'number' ? set.status : 200)
    })
    .use(createRoutes(options, exchangeToken, requestLog))

  return {
    fetch: app.fetch,
    startShutdown() {
      shuttingDown = true
    },
  }
}
