import { RedisClient } from 'bun'
import { DeadlineExceeded, inTime } from '../../lib/deadline.ts'
import { StoreUnavailable } from './store.ts'

/** Whether there is a usable connection to Redis. */
export type ConnectionState = 'connected' | 'away'

/** Settings of {@link RedisConnection}. */
export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`, with credentials and database number. */
  readonly url: string
  /** Runs on every new connection before it is used; a failure closes the connection. */
  readonly prepare: (client: RedisClient) => Promise<void>
  /** Called when the connection is made or lost; `cause` says why it was lost. */
  readonly onChange: (state: ConnectionState, cause: string) => void
  /** Timeout of a command and of connecting. */
  readonly timeoutMs?: number | undefined
  /** Ping interval; for a connection that only listens, and would not notice its loss. */
  readonly keepAliveMs?: number | undefined
}

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000
/** One text for all: the runtime does not tell these apart. */
const NOT_CONNECTED = 'it cannot be reached, or does not accept TLS, password or database number'

/**
 * The error code of Redis, such as `NOAUTH`. Never the whole message: it can repeat the command, which
 * may hold a secret.
 */
function causeOf(error: unknown, otherwise = 'connection closed'): string {
  if (error instanceof StoreUnavailable) return error.reason
  const message = error instanceof Error ? error.message : ''
  // Older versions put the code of an error inside a script behind a code of their own.
  const inScript = UNUSABLE.exec(message)?.[0]
  return inScript ?? /^[A-Z]{3,20}(?= |$)/.exec(message)?.[0] ?? otherwise
}

/**
 * Codes of a server that cannot serve us now; a new connection may reach another server.
 *
 * Promise: the service leaves a primary that has become a replica.
 */
const UNUSABLE = /\b(?:READONLY|MASTERDOWN|LOADING)\b/

/**
 * One connection to Redis.
 *
 * Promise: it connects again by itself, also if Redis was away at the start.
 */
export class RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #timeoutMs: number
  #client: RedisClient | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #keepAlive: ReturnType<typeof setInterval> | undefined
  #retryMs = FIRST_RETRY_MS
  #closed = false
  #told: ConnectionState | undefined

  constructor(options: RedisConnectionOptions) {
    this.#options = options
    this.#timeoutMs = options.timeoutMs ?? 2_000
  }

  /** Connects; resolves after the first attempt and retries in the background. */
  async start(): Promise<void> {
    await this.#connect()
  }

  /**
   * Sends a command.
   *
   * @throws {StoreUnavailable} when there is no connection, no answer in time, or an error as answer
   */
  async send(command: string, args: readonly string[]): Promise<unknown> {
    const client = this.#client
    if (client === undefined) throw new StoreUnavailable('Redis is not connected')
    try {
      return await this.#inTime(client.send(command, [...args]))
    } catch (error) {
      const cause = causeOf(error)
      // Reconnect after a timeout, and when the server cannot serve us.
      if (error instanceof StoreUnavailable || UNUSABLE.test(cause)) this.#drop(client, cause)
      throw new StoreUnavailable(`Redis: ${cause}`)
    }
  }

  /** Reconnects, possibly to another server behind the same address. */
  reconnect(): void {
    if (this.#client !== undefined) this.#drop(this.#client, 'connected anew')
  }

  /** Closes the connection for good. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
    clearInterval(this.#keepAlive)
    this.#client?.close()
    this.#client = undefined
  }

  async #connect(): Promise<void> {
    const client = new RedisClient(this.#options.url, {
      autoReconnect: false,
      enableOfflineQueue: false,
      connectionTimeout: this.#timeoutMs,
    })
    try {
      await this.#inTime(client.connect())
      await this.#inTime(this.#options.prepare(client))
    } catch (error) {
      client.close()
      this.#scheduleRetry(causeOf(error, NOT_CONNECTED))
      return
    }
    if (this.#closed) {
      client.close()
      return
    }
    client.onclose = () => this.#drop(client, 'connection closed')
    this.#client = client
    this.#startKeepAlive()
    this.#retryMs = FIRST_RETRY_MS
    this.#tell('connected', '')
  }

  #startKeepAlive(): void {
    const { keepAliveMs } = this.#options
    if (keepAliveMs === undefined) return
    this.#keepAlive = setInterval(() => {
      this.send('PING', []).catch(() => {
        // `send` has dropped the connection already.
      })
    }, keepAliveMs)
  }

  #drop(client: RedisClient, cause: string): void {
    if (this.#client !== client) return
    clearInterval(this.#keepAlive)
    this.#client = undefined
    client.close()
    this.#scheduleRetry(cause)
  }

  #scheduleRetry(cause: string): void {
    if (this.#closed) return
    this.#tell('away', cause)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.#connect().catch((error: unknown) => this.#scheduleRetry(causeOf(error)))
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }

  #tell(state: ConnectionState, cause: string): void {
    if (this.#told === state) return
    this.#told = state
    this.#options.onChange(state, cause)
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    try {
      return await inTime(this.#timeoutMs, work)
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error
      throw new StoreUnavailable(`no answer within ${this.#timeoutMs / 1000} s`)
    }
  }
}
