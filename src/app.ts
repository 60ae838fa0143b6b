import { Elysia } from 'elysia'
import { assembleOperation } from './app/assemble-operation.ts'
import { assembleParts } from './app/assemble-parts.ts'
import { assembleRoutes, FRAMEWORK, limitsOf } from './app/assemble-routes.ts'
import type { AppOptions } from './app/options.ts'
import type { PeerLookup } from './http/client-address.ts'
import { CORS_HEADERS, corsPathsOf, isAmong, withoutSlash } from './http/cors.ts'
import { ShuttingDown } from './http/error-table.ts'
import { failureOf } from './http/errors.ts'
import { createRequestLog } from './http/request-log.ts'
import { hasOrigin } from './http/request-path.ts'
import { SfuError } from './livekit/sfu-error.ts'

/** The service, ready to answer requests. */
export interface App {
  /**
   * Answers one request.
   *
   * @param server - by which the address is known that the request comes from
   */
  fetch(request: Request, server: PeerLookup): Response | Promise<Response>
  /** Answers one request to the metrics listener. */
  operation(request: Request): Response | Promise<Response>
  /** Starts to act on delegations. */
  start(): void
  /** Asks the SFU once, and warns if it cannot be used. */
  checkSfu(): Promise<void>
  /** Says at `/readyz` that this replica will go away; requests are served as before. */
  announceShutdown(): void
  /** Refuses new requests from now on, and hands delegations over to other replicas. */
  startShutdown(): Promise<void>
  /** Closes the store; to be called once no request is under way. */
  close(): Promise<void>
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
  const parts = await assembleParts(options)
  const { worker, store, applicationService } = parts
  const limits = limitsOf(options)
  const routes = assembleRoutes(options, { ...parts, requestLog, limits })
  const corsPaths = corsPathsOf(routes.routes)
  const enforcement = applicationService?.enforcement
  knownPaths = new Set(routes.routes.map(({ path }) => path))
  let isAnnounced = false
  let shuttingDown = false
  const isShuttingDown = () => isAnnounced || shuttingDown
  const operation = assembleOperation({ ...parts, metrics, isShuttingDown })

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
      if (failure.trouble !== undefined) record.trouble = failure.trouble
      if (failure.limit !== undefined) metrics.noteRefusal(failure.limit)
      if (failure.isOneOfMany) record.isOneOfMany = true
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
      const copy = new Request(`http://localhost${request.url}`, request)
      limits.noteCopy(copy, request)
      return app.fetch(copy)
    },
    operation: (request) => operation.fetch(request),
    start() {
      worker.start()
      enforcement?.start()
    },
    async checkSfu() {
      try {
        await parts.rooms.check()
      } catch (error) {
        if (!(error instanceof SfuError)) throw error
        logger.warn('the SFU cannot be used', { trouble: error.trouble })
      }
    },
    announceShutdown() {
      isAnnounced = true
    },
    async startShutdown() {
      shuttingDown = true
      await Promise.all([worker.stop(), enforcement?.stop()])
    },
    async close() {
      await Promise.all([store.close(), applicationService?.store?.close()])
    },
  }
}
