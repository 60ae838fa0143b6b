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
 * Token buckets by key, in bounded memory: those that have long filled up are forgotten, and when there
 * are too many, those that were not used for longest, and with them what their keys had used up.
 *
 * A library such as `rate-limiter-flexible` keeps an unbounded map and a timer for each key. One map in
 * order of use costs several times as much: each use deletes and adds an entry of a large, old object,
 * which the garbage collector has to look through again.
 */
export class TokenBuckets {
  readonly #rate: Rate
  readonly #maxRecent: number
  readonly #monotonicNow: () => number
  /** After so long without use a bucket is full, whatever was owed. */
  readonly #fullAfterMs: number
  /** Used since {@link #recentSince}. */
  #recent = new Map<string, Bucket>()
  #recentSince: number
  /** Not used since then, but in the time before. */
  #earlier = new Map<string, Bucket>()

  /** @param maxKeys - even */
  constructor(rate: Rate, maxKeys: number, monotonicNow: () => number) {
    this.#rate = rate
    this.#maxRecent = maxKeys / 2
    this.#monotonicNow = monotonicNow
    this.#fullAfterMs = (2 * rate.burst * 1_000) / rate.perSecond
    this.#recentSince = monotonicNow()
  }

  /** Number of buckets held. */
  get size(): number {
    return this.#recent.size + this.#earlier.size
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
    const bucket = this.#recent.get(key) ?? this.#bringBack(key, now)
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) * perSecond) / 1_000)
    bucket.filledAt = now
    return bucket
  }

  /** The bucket of a key that has not been used recently. */
  #bringBack(key: string, now: number): Bucket {
    const bucket = this.#earlier.get(key) ?? { tokens: this.#rate.burst, filledAt: now }
    this.#earlier.delete(key)
    const isOver = now - this.#recentSince >= this.#fullAfterMs
    if (isOver || this.#recent.size >= this.#maxRecent) this.#forgetEarlier(now)
    this.#recent.set(key, bucket)
    return bucket
  }

  #forgetEarlier(now: number): void {
    this.#earlier = this.#recent
    this.#recent = new Map()
    this.#recentSince = now
  }
}
