import { readFileSync } from 'node:fs'
import type { AppOptions } from '../app/options.ts'
import { type App, createApp } from '../app.ts'
import { describeSettings } from '../config/effective.ts'
import type { BindAddress } from '../config/parsers.ts'
import type { Environment } from '../config/reader.ts'
import { type Config, type LoadedConfig, type LogConfig, loadConfig } from '../config.ts'
import { StoreUnavailable } from '../delegation/store/store.ts'
import { errorCode } from '../lib/error-code.ts'
import { REQUEST_CAP_VARIABLE, requestCap } from '../lib/request-budget.ts'
import { createLogger, type Logger } from '../log.ts'
import { createLogOutput, type LogOutput } from '../log-output.ts'
import { reportInternalErrors } from './internal-errors.ts'

const IDLE_TIMEOUT_SECONDS = 60
/** Off: `json-body.ts` limits bodies instead, and answers with a Matrix error. */
const MAX_REQUEST_BODY_BYTES = Number.MAX_SAFE_INTEGER
const PENDING_POLL_MS = 10
/** About 3,000 lines. */
const MAX_UNREAD_LOG_BYTES = 1024 * 1024
/** At the end, for whoever reads the log. */
const LOG_PATIENCE_MS = 1_000

const EXIT_OK = 0
const EXIT_FAILURE = 1
const EXIT_BAD_CONFIG = 2

/** What the codes of the system mean to the operator. */
const LISTEN_FAILURES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use by another process',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'not permitted; ports below 1024 may need privileges',
}

type Server = ReturnType<typeof listen>
type Fetch = (request: Request) => Response | Promise<Response>

function listen({ host, port }: BindAddress, fetch: Fetch) {
  const options = {
    port,
    fetch,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    maxRequestBodySize: MAX_REQUEST_BODY_BYTES,
    development: false,
    // Otherwise a second instance would take half of the requests, and nobody would be told.
    reusePort: false,
  }
  if (host !== undefined) return Bun.serve({ ...options, hostname: host })
  try {
    return Bun.serve({ ...options, hostname: '::' })
  } catch (error) {
    // A machine without IPv6 has no such address.
    if (errorCode(error) === 'EADDRINUSE') throw error
    return Bun.serve({ ...options, hostname: '0.0.0.0' })
  }
}

/** As in `LIVEKIT_JWT_BIND`. */
function shownAddress({ host = '', port }: BindAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

interface Log {
  readonly logger: Logger
  readonly output: LogOutput
}

function openLog({ level, format }: LogConfig): Log {
  const { stdout } = process
  // The service outlives whoever reads its log.
  stdout.on('error', () => {})
  const output = createLogOutput({
    stream: stdout,
    maxPendingBytes: MAX_UNREAD_LOG_BYTES,
    // As an error, since it must be told at every level.
    onResume: (dropped) => logger.error('log lines were dropped: nobody read them', { dropped }),
  })
  const logger = createLogger({
    level,
    format: format ?? (stdout.isTTY ? 'pretty' : 'json'),
    now: Date.now,
    write: output.write,
  })
  return { logger, output }
}

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

/** What the service is started with. */
type Start = Pick<AppOptions, 'config' | 'logger' | 'version' | 'requestCap'>

async function openApp(start: Start) {
  const monotonicNow = () => performance.now()
  try {
    const clocks = { now: Date.now, monotonicNow, random: Math.random }
    return await createApp({ ...start, ...clocks })
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    start.logger.error('cannot start', { cause: error.message })
    return undefined
  }
}

function startServer({ bind }: Config, app: App, logger: Logger) {
  try {
    return listen(bind, app.fetch)
  } catch (error) {
    const code = errorCode(error)
    const cause = LISTEN_FAILURES[code] ?? code
    logger.error(`cannot listen: ${cause}`, { address: shownAddress(bind) })
    return undefined
  }
}

/** Resolves when no request is under way; a connection that has sent half a request is none. */
async function requestsFinished(server: Server): Promise<void> {
  while (server.pendingRequests > 0) await Bun.sleep(PENDING_POLL_MS)
}

async function shutDown(app: App, server: Server, graceMs: number, logger: Logger): Promise<void> {
  server.stop()
  const work = [app.startShutdown(), requestsFinished(server)]
  const finished = Promise.allSettled(work).then(() => true)
  const graceful = await Promise.race([finished, Bun.sleep(graceMs).then(() => false)])
  // The line of a request is logged in a turn of its own, after the answer.
  await new Promise((resolve) => setImmediate(resolve))
  if (!graceful) logger.warn('requests were cut off', { pending: server.pendingRequests })
  await app.close()
}

async function run(start: Start): Promise<number> {
  const { config, logger, version } = start
  const stopped = stopSignal()
  const app = await openApp(start)
  if (app === undefined) return EXIT_FAILURE
  const server = startServer(config, app, logger)
  if (server === undefined) {
    await app.close()
    return EXIT_FAILURE
  }
  // Not before it is sure that this process stays: what it has claimed, nobody else acts on.
  app.start()
  reportInternalErrors(logger)
  logger.info('listening', { host: server.hostname, port: server.port, version })

  const signal = await stopped
  const { shutdownDelayMs, shutdownGraceMs } = config
  logger.info('shutting down', {
    signal,
    delay_ms: shutdownDelayMs,
    grace_ms: shutdownGraceMs,
  })
  // From here on the service is alive but not ready; whoever asks for readiness is to be told here.
  // Requests are taken as before until load balancers have had the time to look elsewhere.
  await Bun.sleep(shutdownDelayMs)
  await shutDown(app, server, shutdownGraceMs, logger)
  logger.info('stopped')
  return EXIT_OK
}

async function runLoaded(
  { config, problems, warnings }: LoadedConfig,
  env: Environment,
  version: string,
  logger: Logger,
): Promise<number> {
  for (const warning of warnings) logger.warn(warning)
  if (config === undefined) {
    for (const problem of problems) process.stderr.write(`${problem}\n`)
    return EXIT_BAD_CONFIG
  }
  logger.info('configuration', { version, settings: describeSettings(env) })
  return run({ config, logger, version, requestCap: requestCap(env[REQUEST_CAP_VARIABLE]) })
}

/**
 * The `serve` command: runs the service until a signal ends it.
 *
 * @returns the exit code
 */
export async function serve(env: Environment, version: string): Promise<number> {
  const loaded = loadConfig(env, (path) => readFileSync(path, 'utf8'))
  const { logger, output } = openLog(loaded.log)
  try {
    return await runLoaded(loaded, env, version, logger)
  } finally {
    await output.flush(LOG_PATIENCE_MS)
  }
}
