/** A loaded value and how long it may be used. */
export interface Loaded<V> {
  readonly value: V
  /** 0 for a value that is not to be kept. */
  readonly ttlMs: number
}

/** How a cache is bounded and what time it goes by. */
export interface ExpiringCacheOptions {
  readonly maxEntries: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

interface Entry<V> {
  readonly value: V
  readonly expiresAt: number
}

/**
 * Values that expire, bounded in number: the least recently used one makes room for a new one.
 * Callers that ask for the same key while it is being loaded share that one load.
 */
export class ExpiringCache<V> {
  readonly #entries = new Map<string, Entry<V>>()
  readonly #loading = new Map<string, Promise<V>>()
  readonly #options: ExpiringCacheOptions

  constructor(options: ExpiringCacheOptions) {
    this.#options = options
  }

  /** Number of values held. */
  get size(): number {
    return this.#entries.size
  }

  /**
   * The value of `key`, from `load` where none is held; a failed load is not kept.
   *
   * @param load - is given the value that expired, where it is still known
   */
  get(key: string, load: (expired: V | undefined) => Promise<Loaded<V>>): Promise<V> {
    const entry = this.#entries.get(key)
    if (entry !== undefined && entry.expiresAt > this.#options.now()) {
      this.#entries.delete(key)
      this.#entries.set(key, entry)
      return Promise.resolve(entry.value)
    }
    const underWay = this.#loading.get(key)
    if (underWay !== undefined) return underWay

    const loading = this.#load(key, () => load(entry?.value)).finally(() => {
      this.#loading.delete(key)
    })
    this.#loading.set(key, loading)
    return loading
  }

  /** Holds `value` for `ttlMs`. */
  put(key: string, value: V, ttlMs: number): void {
    this.#entries.delete(key)
    const oldest = this.#entries.keys().next()
    if (this.#entries.size >= this.#options.maxEntries && !oldest.done) {
      this.#entries.delete(oldest.value)
    }
    this.#entries.set(key, { value, expiresAt: this.#options.now() + ttlMs })
  }

  /** Tells whether a value that has not expired is held. */
  has(key: string): boolean {
    const entry = this.#entries.get(key)
    return entry !== undefined && entry.expiresAt > this.#options.now()
  }

  async #load(key: string, load: () => Promise<Loaded<V>>): Promise<V> {
    const { value, ttlMs } = await load()
    if (ttlMs > 0) this.put(key, value, ttlMs)
    return value
  }
}
