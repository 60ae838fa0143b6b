/** A healthy store answers a worker several times a second. */
const SILENT_AFTER_MS = 1_000
/** Long enough for every replica to write back what it did from memory. */
const LATELY_MS = 15_000

/** Tracks whether the store answers, and when it last came back. */
export class StoreHealth {
  readonly #monotonicNow: () => number
  #answeredAt: number | undefined
  #hasFailed = false
  #backAt = Number.NEGATIVE_INFINITY

  /** @param monotonicNow - milliseconds since some moment, never going back */
  constructor(monotonicNow: () => number) {
    this.#monotonicNow = monotonicNow
  }

  /** A worker's round has succeeded. */
  answered(): void {
    const now = this.#monotonicNow()
    if (this.#hasFailed || this.isAway()) this.#backAt = now
    this.#hasFailed = false
    this.#answeredAt = now
  }

  /** A worker's round has failed. */
  failed(): void {
    this.#hasFailed = true
  }

  /** Whether the store has failed, or been silent for too long. Before its first answer: false. */
  isAway(): boolean {
    if (this.#answeredAt === undefined) return false
    return this.#hasFailed || this.#monotonicNow() - this.#answeredAt > SILENT_AFTER_MS
  }

  /** Whether the store is away or was until a moment ago, so that its deadlines may be outdated. */
  wasAwayLately(): boolean {
    return this.isAway() || this.#monotonicNow() - this.#backAt < LATELY_MS
  }
}
