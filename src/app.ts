import { Elysia } from 'elysia'
import { assembleApplicationService } from './app/application-service.ts'
import { assembleDelegation } from './app/assemble-delegation.ts'
import { assembleHomeservers } from './app/homeservers.ts'
import type { AppOptions } from './app/options.ts'
import type { Delegations } from './delegation/delegations.ts'
import type { ParticipantKey } from './delegation/life/record.ts'
import { type Authorise, createAuthorisation } from './exchange/authorisation.ts'
import { createLeaveTakeover, type LeaveTakeover } from './exchange/leave-takeover.ts'
import { createTokenExchange, type TokenExchange } from './exchange/token-exchange.ts'
import { CORS_HEADERS, corsPathsOf, isAmong } from './http/cors.ts'
import { ShuttingDown } from './http/error-table.ts'
import { failureOf } from './http/errors.ts'
import { homeserverCalls } from './http/homeserver-calls.ts'
import { completeMethods } from './http/methods.ts'
import { participantPlugin } from './http/participants.ts'
import { createRequestLog, type RequestLog } from './http/request-log.ts'
import { hasOrigin } from './http/request-path.ts'
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
  fetch(request: Request): Response | Promise<Response>
  /** Starts to act on delegations. */
  start(): void
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
}

const FRAMEWORK = {
  // Do not strip unknown members: it costs time, and they do no harm.
  normalize: false,
  // Otherwise the framework looks for the path after the 11th character, and misses it when `Host` is short.
  handler: { standardHostname: false },
} as const

function createRoutes(options: AppOptions, parts: Parts) {
  const { config, version, now, monotonicNow } = options
  const { requestLog, delegations, authorise, tokenExchange, takeover, applicationService } = parts
  const { liveKitUrl, credentials } = config
  const participants = participantPlugin({ authorise, requestLog })
  const verifier = createWebhookVerifier(credentials, now)
  const onJoined = async (key: ParticipantKey) => applicationService?.enforcement?.noteJoined(key)
  const documented = new Elysia(FRAMEWORK)
    .use(healthRoutes())
    .use(tokenRoutes({ participants, tokenExchange, liveKitUrl }))
    .use(delegatedLeaveRoutes({ participants, takeover }))
    .use(sfuWebhookRoutes({ verifier, delegations, requestLog, onJoined }))
  if (applicationService !== undefined) {
    const calls = homeserverCalls({ ...applicationService, requestLog, monotonicNow })
    documented.use(memberRoutes({ ...applicationService, calls }))
  }
  const app = new Elysia(FRAMEWORK).use(documented)
  const isMember = applicationService !== undefined
  if (config.swagger) app.use(docsRoutes(version, documented, isMember))
  completeMethods(app)
  return app
}

async function assemble(options: AppOptions) {
  const { config, now, tuning = {} } = options
  const { fullAccess, restrictedCanPublish, tokenTtlSeconds, canUpdateOwnMetadata } = config
  const signer = await createTokenSigner(config.credentials, now)
  const rooms = createRoomService({
    sfuUrl: config.liveKitInternalUrl,
    signer,
    now,
    timeoutMs: tuning.sfuTimeoutMs,
    maxCreations: requestBudget(options.requestCap).roomCreations,
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
  return { authorise, tokenExchange, takeover, applicationService, ...delegation }
}

/**
 * Assembles the service; nothing else constructs its parts.
 *
 * @throws {StoreUnavailable} when the state file cannot be used
 */
export async function createApp(options: AppOptions): Promise<App> {
  const requestLog = createRequestLog(options.logger, options.monotonicNow)
  const { worker, store, ...parts } = await assemble(options)
  const routes = createRoutes(options, { ...parts, requestLog })
  const corsPaths = corsPathsOf(routes.routes)
  const enforcement = parts.applicationService?.enforcement
  let shuttingDown = false

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
    fetch(request) {
      // Without `Host` the URL is a bare path, which the framework would misread.
      if (hasOrigin(request)) return app.fetch(request)
      return app.fetch(new Request(`http://localhost${request.url}`, request))
    },
    start() {
      worker.start()
      enforcement?.start()
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
