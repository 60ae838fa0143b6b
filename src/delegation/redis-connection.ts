import { RedisClient } from 'bun'
import { StoreUnavailable } from './store.ts'

/** Settings of {@link RedisConnection}. */
export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`, with credentials and database number. */
  readonly url: string
  /** Runs on every new connection before it is used; a failure closes the connection. */
  readonly prepare: (client: RedisClient) => Promise<void>
  /** Told when the connection comes and goes; `cause` says why it is not there. */
  readonly onChange: (connected: boolean, cause: string) => void
  /** How long a command or the start of a connection may take. */
  readonly timeoutMs?: number | undefined
}

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000

/**
 * What is wrong, without repeating a command: it may hold a secret. Errors of the server itself begin
 * with a code such as `NOAUTH`.
 */
function causeOf(error: unknown): string {
  if (error instanceof StoreUnavailable) return error.message
  const message = error instanceof Error ? error.message : ''
  return /^[A-Z]{3,20}(?= |$)/.exec(message)?.[0] ?? 'connection closed'
}

/** One connection to Redis that comes back by itself. */
export class RedisConnection {
  readonly #options: RedisConnectionOptions
  readonly #timeoutMs: number
  #client: RedisClient | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #retryMs = FIRST_RETRY_MS
  #closed = false
  #told: boolean | undefined

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
      // A connection that has gone silent is not worth waiting for.
      if (error instanceof StoreUnavailable) this.#drop(client, error.message)
      throw new StoreUnavailable(`Redis: ${causeOf(error)}`)
    }
  }

  /** Closes the connection for good. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#retry)
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
      this.#scheduleRetry(causeOf(error))
      return
    }
    if (this.#closed) {
      client.close()
      return
    }
    client.onclose = () => this.#drop(client, 'connection closed')
    this.#client = client
    this.#retryMs = FIRST_RETRY_MS
    this.#tell(true, '')
  }

  #drop(client: RedisClient, cause: string): void {
    if (this.#client !== client) return
    this.#client = undefined
    client.close()
    this.#scheduleRetry(cause)
  }

  #scheduleRetry(cause: string): void {
    if (this.#closed) return
    this.#tell(false, cause)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.#connect().catch((error: unknown) => this.#scheduleRetry(causeOf(error)))
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }

  #tell(connected: boolean, cause: string): void {
    if (this.#told === connected) return
    this.#told = connected
    this.#options.onChange(connected, cause)
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new StoreUnavailable(`no answer within ${this.#timeoutMs / 1000} s`))
      }, this.#timeoutMs)
      work.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }
}
