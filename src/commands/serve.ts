import { readFileSync } from 'node:fs'
import type { AppOptions } from '../app/options.ts'
import { type App, createApp } from '../app.ts'
import { describeSettings } from '../config/guide.ts'
import type { Environment } from '../config/reader.ts'
import { SETTINGS } from '../config/settings.ts'
import { type LoadedConfig, loadConfig } from '../config.ts'
import { StoreUnavailable } from '../delegation/store/store.ts'
import { REQUEST_CAP_VARIABLE, requestCap } from '../lib/request-budget.ts'
import type { Logger } from '../log.ts'
import { type Metrics, NO_METRICS } from '../metrics.ts'
import { logNotes, logSettings } from './configuration-log.ts'
import { reportInternalErrors } from './internal-errors.ts'
import { type Listener, openListener } from './listen.ts'
import { type FormattedLog, openErrorLog, openLog } from './service-log.ts'

const PENDING_POLL_MS = 10

const EXIT_OK = 0
const EXIT_FAILURE = 1
const EXIT_BAD_CONFIG = 2

/** Resolves at the first SIGTERM or SIGINT; the second one ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let received = 0
    const onSignal = (signal: NodeJS.Signals) => {
      received += 1
      if (received > 1) process.exit(EXIT_FAILURE)
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

/** How the service ended. */
interface Ending {
  readonly code: number
  /** As `performance.now()` has it; until then, a slow reader of the log may take what is left. */
  readonly graceEndsAt?: number
}

/** What the service is started with. */
type Start = Pick<AppOptions, 'config' | 'logger' | 'metrics' | 'version' | 'requestCap'>

async function openApp(start: Start) {
  const monotonicNow = () => performance.now()
  try {
    const clocks = { now: Date.now, monotonicNow, random: Math.random }
    return await createApp({ ...start, ...clocks })
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    start.logger.error('cannot start', { trouble: error.trouble })
    return undefined
  }
}

/** Resolves when no request is under way; a connection that has sent half a request is none. */
async function requestsFinished(server: Listener): Promise<void> {
  while (server.pendingRequests > 0) await Bun.sleep(PENDING_POLL_MS)
}

async function shutDown(
  app: App,
  server: Listener,
  graceMs: number,
  logger: Logger,
): Promise<void> {
  server.stop()
  const work = [app.startShutdown(), requestsFinished(server)]
  const finished = Promise.allSettled(work).then(() => true)
  const graceful = await Promise.race([finished, Bun.sleep(graceMs).then(() => false)])
  // The line of a request is logged in a turn of its own, after the answer.
  await new Promise((resolve) => setImmediate(resolve))
  if (!graceful) logger.warn('requests were cut off', { pending: server.pendingRequests })
  await app.close()
}

async function run(start: Start): Promise<Ending> {
  const { config, logger, version } = start
  const stopped = stopSignal()
  const app = await openApp(start)
  if (app === undefined) return { code: EXIT_FAILURE }
  const { bind, metricsBind } = config
  const server = openListener(SETTINGS.bind, bind, app.fetch, logger)
  const operation =
    metricsBind && openListener(SETTINGS.metricsBind, metricsBind, app.operation, logger)
  if (server === undefined || (metricsBind !== undefined && operation === undefined)) {
    await server?.stop(true)
    await app.close()
    return { code: EXIT_FAILURE }
  }
  // Not before it is sure that this process stays: what it has claimed, nobody else acts on.
  app.start()
  reportInternalErrors(logger)
  logger.info('listening', { host: server.hostname, port: server.port, version })
  if (operation !== undefined) {
    logger.info('metrics', { host: operation.hostname, port: operation.port })
  }

  // Whoever has made a mistake learns of it now, and not when the first call fails. Nothing waits for it.
  void app.checkSfu()

  const signal = await stopped
  const { shutdownDelayMs, shutdownGraceMs } = config
  logger.info('shutting down', {
    signal,
    delay_ms: shutdownDelayMs,
    grace_ms: shutdownGraceMs,
  })
  app.announceShutdown()
  // Requests are served as before until load balancers have had time to stop sending them here.
  await Bun.sleep(shutdownDelayMs)
  const graceEndsAt = performance.now() + shutdownGraceMs
  await shutDown(app, server, shutdownGraceMs, logger)
  await operation?.stop(true)
  logger.info('stopped')
  return { code: EXIT_OK, graceEndsAt }
}

async function runLoaded(
  { config, log: logConfig, problems, warnings }: LoadedConfig,
  env: Environment,
  version: string,
  log: FormattedLog,
  metrics: Metrics,
): Promise<Ending> {
  logNotes(log, 'warn', warnings)
  if (config === undefined) {
    logNotes(openErrorLog(logConfig), 'error', problems)
    return { code: EXIT_BAD_CONFIG }
  }
  logSettings(log, version, describeSettings(env))
  return run({
    config,
    logger: log.logger,
    metrics,
    version,
    requestCap: requestCap(env[REQUEST_CAP_VARIABLE]),
  })
}

/** Loaded only by whoever wants it, since its library takes memory. */
async function openMetrics(version: string): Promise<Metrics> {
  const { createPrometheusMetrics } = await import('../prometheus.ts')
  return createPrometheusMetrics(version)
}

/**
 * The `serve` command: runs the service until a signal ends it.
 *
 * @returns the exit code
 */
export async function serve(env: Environment, version: string): Promise<number> {
  const loaded = loadConfig(env, (path) => readFileSync(path, 'utf8'))
  const hasMetrics = loaded.config?.metricsBind !== undefined
  const metrics = hasMetrics ? await openMetrics(version) : NO_METRICS
  const log = openLog(loaded.log, metrics.noteDroppedLines)
  let ending: Ending = { code: EXIT_FAILURE }
  try {
    ending = await runLoaded(loaded, env, version, log, metrics)
    return ending.code
  } finally {
    await log.close((ending.graceEndsAt ?? 0) - performance.now())
  }
}
