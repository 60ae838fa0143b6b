import { Elysia } from 'elysia'
import { assembleApplicationService } from './app/application-service.ts'
import { assembleDelegation } from './app/assemble-delegation.ts'
import { assembleHomeservers } from './app/homeservers.ts'
import { assembleOperation, watchSfu } from './app/operation.ts'
import type { AppOptions } from './app/options.ts'
import type { Delegations } from './delegation/delegations.ts'
import type { ParticipantKey } from './delegation/life/record.ts'
import { type Authorise, createAuthorisation } from './exchange/authorisation.ts'
import { createLeaveTakeover, type LeaveTakeover } from './exchange/leave-takeover.ts'
import { createTokenExchange, type TokenExchange } from './exchange/token-exchange.ts'
import type { PeerLookup } from './http/client-address.ts'
import { CORS_HEADERS, corsPathsOf, isAmong, withoutSlash } from './http/cors.ts'
import { ShuttingDown } from './http/error-table.ts'
import { failureOf } from './http/errors.ts'
import { homeserverCalls } from './http/homeserver-calls.ts'
import { createLimits, type Limits } from './http/limits.ts'
import { completeMethods } from './http/methods.ts'
import { participantCalls } from './http/participants.ts'
import { createRequestLog, type RequestLog } from './http/request-log.ts'
import { hasOrigin } from './http/request-path.ts'
import { Gate } from './lib/gate.ts'
import { requestBudget } from './lib/request-budget.ts'
import { createTokenSigner } from './livekit/access-token.ts'
import { createRoomService } from './livekit/room-service.ts'
import { createWebhookVerifier } from './livekit/webhook.ts'
import { delegatedLeaveRoutes } from './routes/delegated-leave.ts'
import { docsRoutes } from './routes/docs/routes.ts'
import { healthRoutes } from './routes/health.ts'
import { memberRoutes } from './routes/member-routes.ts'
import { sfuWebhookRoutes } from './routes/sfu-webhook.ts'
import { tokenRoutes } from './routes/tokens.ts'

/** The service, ready to answer requests. */
export interface App {
  /** Answers one request. */
  /** @param server - by which the address is known that the request comes from */
  fetch(request: Request, server: PeerLookup): Response | Promise<Response>
  /** Answers one request to the metrics listener. */
  operation(request: Request): Response | Promise<Response>
  /** Starts to act on delegations. */
  start(): void
  /** Says at `/readyz` that this replica will go away; requests are served as before. */
  announceShutdown(): void
  /** Refuses new requests from now on, and hands delegations over to other replicas. */
  startShutdown(): Promise<void>
  /** Closes the store; to be called once no request is under way. */
  close(): Promise<void>
}

/** `undefined` when application-service mode is off. */
type ApplicationService = Awaited<ReturnType<typeof assembleApplicationService>>

interface Parts {
  readonly authorise: Authorise
  readonly tokenExchange: TokenExchange
  readonly takeover: LeaveTakeover
  readonly delegations: Delegations
  readonly applicationService: ApplicationService
  readonly requestLog: RequestLog
  readonly limits: Limits
}

const MAX_WAITING_CREATIONS = 4_096

const FRAMEWORK = {
  // Do not strip unknown members: it costs time, and they do no harm.
  normalize: false,
  // Otherwise the framework looks for the path after the 11th character, and misses it when `Host` is short.
  handler: { standardHostname: false },
} as const

function limitsOf({ config, monotonicNow, logger }: AppOptions): Limits {
  const { addressRate, trustedProxies } = config
  return createLimits({ addressRate, trustedProxies, monotonicNow, logger })
}

function createRoutes(options: AppOptions, parts: Parts) {
  const { config, version, now, monotonicNow } = options
  const { requestLog, limits, delegations, authorise, tokenExchange, takeover } = parts
  const { applicationService } = parts
  const { liveKitUrl, credentials } = config
  const calls = participantCalls({ authorise, requestLog, limits })
  const verifier = createWebhookVerifier(credentials, now)
  const onWebhook = options.metrics.noteWebhook
  const onJoined = async (key: ParticipantKey) => applicationService?.enforcement?.noteJoined(key)
  const documented = new Elysia(FRAMEWORK)
    .use(healthRoutes())
    .use(tokenRoutes({ calls, tokenExchange, liveKitUrl }))
    .use(delegatedLeaveRoutes({ calls, takeover }))
    .use(sfuWebhookRoutes({ verifier, delegations, requestLog, onWebhook, onJoined }))
  if (applicationService !== undefined) {
    const homeserver = homeserverCalls({ ...applicationService, requestLog, limits, monotonicNow })
    documented.use(memberRoutes({ ...applicationService, calls: homeserver }))
  }
  const app = new Elysia(FRAMEWORK).use(documented)
  const hasMembers = applicationService !== undefined
  if (config.swagger) app.use(docsRoutes({ version, documented, hasMembers }))
  completeMethods(app)
  return app
}

async function assemble(options: AppOptions) {
  const { config, now, metrics, tuning = {} } = options
  const total = requestBudget(options.requestCap).roomCreations
  const creationGate = new Gate({ perKey: total, total, maxWaiting: MAX_WAITING_CREATIONS })
  const sfu = watchSfu()
  const { fullAccess, restrictedCanPublish, tokenTtlSeconds, canUpdateOwnMetadata } = config
  const signer = await createTokenSigner(config.credentials, now)
  const rooms = createRoomService({
    sfuUrl: config.liveKitInternalUrl,
    signer,
    now,
    timeoutMs: tuning.sfuTimeoutMs,
    creationGate,
    onCall(method, outcome, durationMs) {
      sfu.note(outcome)
      metrics.noteSfuCall(method, outcome, durationMs / 1_000)
    },
  })
  const homeservers = assembleHomeservers(options)
  const { verify, locator, clientApi } = homeservers
  const delegation = await assembleDelegation(options, { rooms, locator, clientApi })
  const applicationService = await assembleApplicationService(options, {
    ...{ homeservers, rooms, signer, ...delegation },
  })
  const authorise = createAuthorisation(verify, { fullAccess, restrictedCanPublish })
  const takeover = createLeaveTakeover(locator, delegation.delegations)
  const tokenExchange = createTokenExchange({
    ...{ takeover, rooms, signer, tokenTtlSeconds, canUpdateOwnMetadata },
  })
  const { gates } = homeservers
  const watched = { creationGate, sfu, gates, ...delegation }
  return { authorise, tokenExchange, takeover, applicationService, ...watched }
}

/**
 * Assembles the service; nothing else constructs its parts.
 *
 * @throws {StoreUnavailable} when the state file cannot be used
 */
export async function createApp(options: AppOptions): Promise<App> {
  const { logger, monotonicNow, metrics } = options
  let knownPaths: ReadonlySet<string> = new Set()
  const requestLog = createRequestLog(logger, monotonicNow, ({ path, outcome }, durationMs) => {
    const route = isAmong(knownPaths, path) ? withoutSlash(path) : 'unknown'
    metrics.noteRequest(route, outcome ?? 'ok', durationMs / 1_000)
  })
  const { worker, store, ...parts } = await assemble(options)
  const limits = limitsOf(options)
  const routes = createRoutes(options, { ...parts, requestLog, limits })
  const corsPaths = corsPathsOf(routes.routes)
  const enforcement = parts.applicationService?.enforcement
  knownPaths = new Set(routes.routes.map(({ path }) => path))
  let isAnnounced = false
  let shuttingDown = false
  const isShuttingDown = () => isAnnounced || shuttingDown
  const operation = assembleOperation({ ...parts, metrics, worker, store, isShuttingDown })

  const app = new Elysia(FRAMEWORK)
    .onRequest(function receive({ request, set }) {
      const { requestId, path } = requestLog.begin(request)
      set.headers['x-request-id'] = requestId
      if (isAmong(corsPaths, path)) Object.assign(set.headers, CORS_HEADERS)
      if (shuttingDown) throw new ShuttingDown()
    })
    .onError(function answerError({ code, error, request, set }) {
      const failure = failureOf(code, error)
      const record = requestLog.of(request)
      record.outcome = failure.errcode
      if (failure.step !== undefined) record.step = failure.step
      if (failure.cause !== undefined) record.cause = failure.cause
      if (failure.limit !== undefined) metrics.noteRefusal(failure.limit)
      set.status = failure.status
      if (failure.allow !== undefined) set.headers.allow = failure.allow
      set.headers['content-type'] = 'application/json'
      const { errcode, retryAfterMs } = failure
      if (retryAfterMs === undefined) return { errcode, error: failure.error }
      set.headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000))
      return { errcode, error: failure.error, retry_after_ms: retryAfterMs }
    })
    .onAfterResponse(function logRequest({ request, set }) {
      requestLog.end(request, typeof set.status === 'number' ? set.status : 200)
    })
    .use(routes)

  return {
    fetch(request, server) {
      limits.useServer(server)
      // Without `Host` the URL is a bare path, which the framework would misread.
      if (hasOrigin(request)) return app.fetch(request)
      return app.fetch(new Request(`http://localhost${request.url}`, request))
    },
    operation: (request) => operation.fetch(request),
    start() {
      worker.start()
      enforcement?.start()
    },
    announceShutdown() {
      isAnnounced = true
    },
    async startShutdown() {
      shuttingDown = true
      await Promise.all([worker.stop(), enforcement?.stop()])
    },
    async close() {
      await Promise.all([store.close(), parts.applicationService?.store?.close()])
    },
  }
}
