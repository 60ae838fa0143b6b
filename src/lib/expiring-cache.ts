import { Cancellation, type CancellationSignal } from './cancellation.ts'
import { DeadlineExceeded, untilAborted } from './deadline.ts'

/** A loaded value and how long it may be used. */
export interface Loaded<V> {
  readonly value: V
  /** 0: do not cache. */
  readonly ttlMs: number
}

/** Options of {@link ExpiringCache}. */
export interface ExpiringCacheOptions {
  readonly maxEntries: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

interface Loading<V> {
  readonly value: Promise<V>
  readonly cancellation: Cancellation
  /** Number of callers that wait for it. */
  wanted: number
}

interface Entry<V> {
  readonly value: V
  readonly expiresAt: number
}

/**
 * A bounded cache with a lifetime per value and least-recently-used eviction. Concurrent callers of the
 * same key share one load.
 */
export class ExpiringCache<V> {
  readonly #entries = new Map<string, Entry<V>>()
  readonly #loading = new Map<string, Loading<V>>()
  #usedLast: string | undefined
  readonly #options: ExpiringCacheOptions

  constructor(options: ExpiringCacheOptions) {
    this.#options = options
  }

  /** Number of values held. */
  get size(): number {
    return this.#entries.size
  }

  /**
   * Returns the cached value of `key`, or loads it. A failed load is not cached.
   *
   * @param load - gets the expired value, if still known, and a signal that fires when every caller
   *   has hung up
   * @param signal - of this caller; when it fires, the call rejects with the signal's reason
   */
  get(
    key: string,
    load: (expired: V | undefined, signal: CancellationSignal) => Promise<Loaded<V>>,
    signal?: CancellationSignal,
  ): Promise<V> {
    const entry = this.#entries.get(key)
    if (entry !== undefined && entry.expiresAt > this.#options.now()) {
      this.#moveToEnd(key, entry)
      return Promise.resolve(entry.value)
    }
    const loading = this.#loading.get(key) ?? this.#begin(key, (own) => load(entry?.value, own))
    loading.wanted += 1
    if (signal === undefined) return loading.value
    signal.addEventListener('abort', () => this.#hangUp(key, loading, signal.reason), {
      once: true,
    })
    return untilAborted(signal, loading.value)
  }

  /** Caches `value` for `ttlMs`. */
  put(key: string, value: V, ttlMs: number): void {
    const { maxEntries, now } = this.#options
    const isNew = !this.#entries.has(key)
    if (isNew && this.#entries.size >= maxEntries) this.#deleteOldest()
    this.#moveToEnd(key, { value, expiresAt: now() + ttlMs })
  }

  /** Whether there is a cached value that has not expired. */
  has(key: string): boolean {
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.expiresAt > this.#options.now()
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  /** Mostly the entry is the last one already; deleting it would have the map rebuilt all the time. */
  #moveToEnd(key: string, entry: Entry<V>): void {
    if (key !== this.#usedLast) this.#entries.delete(key)
    this.#entries.set(key, entry)
    this.#usedLast = key
  }

  /** Looked up when it is needed alone: behind entries that were deleted, the first is slow to find. */
  #deleteOldest(): void {
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  #begin(key: string, load: (signal: CancellationSignal) => Promise<Loaded<V>>): Loading<V> {
    const cancellation = new Cancellation()
    const value = this.#load(key, () => load(cancellation)).finally(() => this.#end(key, loading))
    const loading: Loading<V> = { value, cancellation, wanted: 0 }
    this.#loading.set(key, loading)
    return loading
  }

  #end(key: string, loading: Loading<V>): void {
    if (this.#loading.get(key) === loading) this.#loading.delete(key)
  }

  #hangUp(key: string, loading: Loading<V>, reason: unknown): void {
    // After a timeout the client is likely to retry: let the load finish for it.
    if (reason instanceof DeadlineExceeded) return
    loading.wanted -= 1
    if (loading.wanted > 0 || this.#loading.get(key) !== loading) return
    this.#end(key, loading)
    loading.cancellation.abort(reason)
  }

  async #load(key: string, load: () => Promise<Loaded<V>>): Promise<V> {
    const { value, ttlMs } = await load()
    if (ttlMs > 0) this.put(key, value, ttlMs)
    return value
  }
}
