import { RedisClient } from 'bun'
import { DeadlineExceeded, inTime } from '../../lib/deadline.ts'
import type { Trouble } from '../../trouble.ts'
import { diagnoseRedis, placeOf } from './redis-diagnosis.ts'
import { type StoreCode, StoreUnavailable } from './store.ts'

/** Whether there is a usable connection to Redis. */
export type ConnectionState = 'connected' | 'away'

/** Settings of {@link RedisConnection}. */
export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`, with credentials and database number. */
  readonly url: string
  /** Runs on every new connection before it is used; a failure closes the connection. */
  readonly prepare: (client: RedisClient) => Promise<void>
  /** Called when the connection is made or lost; `trouble` says why it was lost. */
  readonly onChange: (state: ConnectionState, trouble: Trouble<StoreCode> | undefined) => void
  /** Timeout of a command and of connecting. */
  readonly timeoutMs?: number | undefined
  /** Ping interval; for a connection that only listens, and would not notice its loss. */
  readonly keepAliveMs?: number | undefined
}

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000

/** What codes of Redis mean; the others are refusals too. */
const CODES: Readonly<Record<string, StoreCode>> = {
  NOAUTH: 'store.redis-password',
  WRONGPASS: 'store.redis-password',
  NOPERM: 'store.redis-rights',
  OOM: 'store.redis-full',
  MISCONF: 'store.redis-full',
  READONLY: 'store.redis-not-primary',
  MASTERDOWN: 'store.redis-not-primary',
  LOADING: 'store.redis-not-primary',
}

/**
 * What went wrong, by the error code of Redis, such as `NOAUTH`. Never the whole message: it can repeat
 * the command, which may hold a secret.
 */
function troubleOf(error: unknown, otherwise = 'connection closed'): Trouble<StoreCode> {
  if (error instanceof StoreUnavailable) return error.trouble
  const message = error instanceof Error ? error.message : ''
  // Older versions put the code of an error inside a script behind a code of their own.
  const inScript = UNUSABLE.exec(message)?.[0]
  const found = inScript ?? /^[A-Z]{3,20}(?= |$)/.exec(message)?.[0]
  if (found === undefined) return { code: 'store.redis-unreachable', found: otherwise }
  return { code: CODES[found] ?? 'store.redis-refused', found: `Redis: ${found}` }
}

const CLOSED = { code: 'store.redis-unreachable', found: 'connection closed' } as const
const RECONNECTING = { code: 'store.redis-unreachable', found: 'connected anew' } as const

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
    if (client === undefined) {
      throw new StoreUnavailable('store.redis-unreachable', 'Redis is not connected')
    }
    try {
      return await this.#inTime(client.send(command, [...args]))
    } catch (error) {
      const trouble = troubleOf(error)
      const { code, found } = trouble
      // Reconnect after a timeout, and when the server cannot serve us.
      if (error instanceof StoreUnavailable || UNUSABLE.test(found)) this.#drop(client, trouble)
      throw new StoreUnavailable(code, found)
    }
  }

  /** Reconnects, possibly to another server behind the same address. */
  reconnect(): void {
    if (this.#client !== undefined) this.#drop(this.#client, RECONNECTING)
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
      this.#scheduleRetry(await this.#explained(troubleOf(error)))
      return
    }
    if (this.#closed) {
      client.close()
      return
    }
    client.onclose = () => this.#drop(client, CLOSED)
    this.#client = client
    this.#startKeepAlive()
    this.#retryMs = FIRST_RETRY_MS
    this.#tell('connected')
  }

  /** Says more, the first time in a row, where the runtime's client does not tell what is wrong. */
  async #explained(trouble: Trouble<StoreCode>): Promise<Trouble<StoreCode>> {
    const isClear = !['store.redis-unreachable', 'store.redis-silent'].includes(trouble.code)
    if (isClear || this.#told === 'away') return trouble
    const url = new URL(this.#options.url)
    const found = `${trouble.found}, at ${placeOf(url)}`
    return (await diagnoseRedis(url, this.#timeoutMs)) ?? { ...trouble, found }
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

  #drop(client: RedisClient, trouble: Trouble<StoreCode>): void {
    if (this.#client !== client) return
    clearInterval(this.#keepAlive)
    this.#client = undefined
    client.close()
    this.#scheduleRetry(trouble)
  }

  #scheduleRetry(trouble: Trouble<StoreCode>): void {
    if (this.#closed) return
    this.#tell('away', trouble)
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => {
      this.#connect().catch((error: unknown) => this.#scheduleRetry(troubleOf(error)))
    }, this.#retryMs)
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
  }

  #tell(state: ConnectionState, trouble?: Trouble<StoreCode>): void {
    if (this.#told === state) return
    this.#told = state
    this.#options.onChange(state, trouble)
  }

  async #inTime<T>(work: Promise<T>): Promise<T> {
    try {
      return await inTime(this.#timeoutMs, work)
    } catch (error) {
      if (!(error instanceof DeadlineExceeded)) throw error
      const found = `Redis gave no answer within ${this.#timeoutMs / 1000} s`
      throw new StoreUnavailable('store.redis-silent', found)
    }
  }
}
