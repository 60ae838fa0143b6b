import { RedisClient } from 'bun'
import { DeadlineExceeded, inTime } from '../../lib/deadline.ts'
import { StoreUnavailable } from './store.ts'

/** Whether Redis can be asked. */
export type ConnectionState = 'connected' | 'away'

/** Settings of {@link RedisConnection}. */
export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`, with credentials and database number. */
  readonly url: string
  /** Runs on every new connection before it is used; a failure closes the connection. */
  readonly prepare: (client: RedisClient) => Promise<void>
  /** Told when the connection comes and goes; `cause` says why it is not there. */
  readonly onChange: (state: ConnectionState, cause: string) => void
  /** How long a command or the start of a connection may take. */
  readonly timeoutMs?: number | undefined
  /** How often to find out whether a connection that only listens is still there. */
  readonly keepAliveMs?: number | undefined
}

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000
/** The runtime does not tell these apart. */
const NOT_CONNECTED = 'it cannot be reached, or does not accept TLS, password or database number'

/**
 * What is wrong, without repeating a command: it may hold a secret. Errors of the server itself begin
 * with a code such as `NOAUTH`.
 */
function causeOf(error: unknown, otherwise = 'connection closed'): string {
  if (error instanceof StoreUnavailable) return error.reason
  const message = error instanceof Error ? error.message : ''
  // Older versions put the code of what a script met behind their own.
  const inScript = UNUSABLE.exec(message)?.[0]
  return inScript ?? /^[A-Z]{3,20}(?= |$)/.exec(message)?.[0] ?? otherwise
}

/** A server that will not serve this connection, while another one behind the address might. */
const UNUSABLE = /\b(?:READONLY|MASTERDOWN|LOADING)\b/

/** One connection to Redis that comes back by itself. */
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

  /** Connects, or goes on trying in the background; resolves after the first attempt. */
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
      // Neither is one that has gone silent worth waiting for, nor one to a server of no use.
      if (error instanceof StoreUnavailable || UNUSABLE.test(cause)) this.#drop(client, cause)
      throw new StoreUnavailable(`Redis: ${cause}`)
    }
  }

  /** Gives up the connection and makes a new one, which may lead to another server. */
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
        // A connection without an answer has been given up already.
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
