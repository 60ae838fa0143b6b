/** How often something may happen. */
export interface Rate {
  /** Refill, in events a second. */
  readonly perSecond: number
  /** How many may happen at once after a quiet while. */
  readonly burst: number
}

interface Bucket {
  tokens: number
  /** Milliseconds, monotonic. */
  filledAt: number
}

/**
 * Token buckets by key, in bounded memory: when there are too many, the one that was used least recently
 * is forgotten, and with it what its key had used up.
 *
 * A library such as `rate-limiter-flexible` keeps an unbounded map and a timer for each key.
 */
export class TokenBuckets {
  readonly #rate: Rate
  readonly #maxKeys: number
  readonly #monotonicNow: () => number
  /** In order of use. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate, maxKeys: number, monotonicNow: () => number) {
    this.#rate = rate
    this.#maxKeys = maxKeys
    this.#monotonicNow = monotonicNow
  }

  /** Number of buckets held. */
  get size(): number {
    return this.#buckets.size
  }

  /**
   * Takes one token.
   *
   * @returns 0 when there was one, else in how many milliseconds there will be
   */
  take(key: string): number {
    const bucket = this.#filled(key)
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 1_000) / this.#rate.perSecond)
    bucket.tokens -= 1
    return 0
  }

  /**
   * Takes one more token, for something that turned out to count double. It may be owed, or requests that
   * are under way at the same time would not count; no more is owed than a burst.
   */
  charge(key: string): void {
    const bucket = this.#filled(key)
    bucket.tokens = Math.max(-this.#rate.burst, bucket.tokens - 1)
  }

  #filled(key: string): Bucket {
    const { perSecond, burst } = this.#rate
    const now = this.#monotonicNow()
    const bucket = this.#buckets.get(key) ?? { tokens: burst, filledAt: now }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) * perSecond) / 1_000)
    bucket.filledAt = now
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#maxKeys) this.#forgetOldest()
    return bucket
  }

  /** Behind keys that were used since, the first one takes microseconds to find. */
  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys()
    if (oldest !== undefined) this.#buckets.delete(oldest)
  }
}
