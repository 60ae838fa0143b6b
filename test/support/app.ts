import type { Tuning } from '../../src/app/options.ts'
import { type App, createApp } from '../../src/app.ts'
import { remedyFor } from '../../src/catalogue/catalogue.ts'
import { noteLine } from '../../src/config/reader.ts'
import { type Config, loadConfig } from '../../src/config.ts'
import { DEFAULT_REQUEST_CAP } from '../../src/lib/request-budget.ts'
import { createLogger } from '../../src/log.ts'
import { type Metrics, NO_METRICS } from '../../src/metrics.ts'
import { CREDENTIAL_SETTINGS } from './credentials.ts'

/** Settings of {@link startTestApp}. */
export interface TestAppOptions {
  /** Environment variables beside the required ones, which have defaults here. */
  readonly env?: Readonly<Record<string, string>>
  readonly config?: Partial<Config>
  readonly tuning?: Tuning
  readonly metrics?: Metrics
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Milliseconds since some moment; the clock of delegations and of remembered tokens goes by it. */
  readonly monotonicNow?: () => number
  /** A number from 0 up to, not including, 1. */
  readonly random?: () => number
}

/** One line of the service's log. */
export type LogLine = Readonly<Record<string, unknown>>

/** The service in this process, on a real socket. */
export interface TestApp {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly app: App
  /** The log so far. */
  readonly log: readonly LogLine[]
  /** POSTs `body` as JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a test needs to say nothing of: an SFU that nobody asks, and credentials. */
const REQUIRED: Readonly<Record<string, string>> = {
  LIVEKIT_URL: 'ws://127.0.0.1:1',
  LIVEKIT_RATE_LIMIT: 'off',
  ...CREDENTIAL_SETTINGS,
}

/**
 * The configuration that an environment gives.
 *
 * @throws {Error} naming what is wrong with it
 */
export function configOf(env: Readonly<Record<string, string>>): Config {
  const { config, problems } = loadConfig({ ...REQUIRED, ...env }, () => '')
  if (config === undefined) throw new Error(problems.map(noteLine).join('\n'))
  return config
}

/** Starts the service on a free port. */
export async function startTestApp(options: TestAppOptions = {}): Promise<TestApp> {
  const log: LogLine[] = []
  const now = options.now ?? Date.now
  const app = await createApp({
    config: { ...configOf(options.env ?? {}), ...options.config },
    logger: createLogger({
      level: 'debug',
      format: 'json',
      remedyFor,
      now,
      write: (line) => log.push(JSON.parse(line)),
    }),
    version: '0.0.0-test',
    metrics: options.metrics ?? NO_METRICS,
    now,
    monotonicNow: options.monotonicNow ?? (() => performance.now()),
    random: options.random ?? Math.random,
    requestCap: DEFAULT_REQUEST_CAP,
    tuning: options.tuning ?? {},
  })
  app.start()
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 60, fetch: app.fetch })
  const url = `http://127.0.0.1:${server.port}`

  async function close(): Promise<void> {
    await server.stop(true)
    await app.startShutdown()
    await app.close()
  }

  return {
    url,
    app,
    log,
    post(path, body, headers = {}) {
      return fetch(url + path, { method: 'POST', body: JSON.stringify(body), headers })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
