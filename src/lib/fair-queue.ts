/** Somebody who waits for a place. */
export interface Waiter {
  readonly key: string
  /** Takes the place. */
  readonly enter: () => void
}

interface Queued {
  readonly waiter: Waiter
  /** When it came, among all. */
  readonly order: number
}

/**
 * Waiters by key. Finding the next one takes as long as there are keys, not waiters: in a burst hundreds
 * wait for one key.
 */
export class FairQueue {
  /** In each, the order in which they came; a key that nobody waits for is not in it. */
  readonly #byKey = new Map<string, Map<Waiter, Queued>>()
  #size = 0
  #lastOrder = 0

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  /** The keys that somebody waits for. */
  keys(): Iterable<string> {
    return this.#byKey.keys()
  }

  add(waiter: Waiter): void {
    const alike = this.#byKey.get(waiter.key) ?? new Map<Waiter, Queued>()
    this.#lastOrder += 1
    this.#byKey.set(waiter.key, alike.set(waiter, { waiter, order: this.#lastOrder }))
    this.#size += 1
  }

  /** Removes a waiter that is in the queue. */
  remove(waiter: Waiter): void {
    const alike = this.#byKey.get(waiter.key)
    alike?.delete(waiter)
    if (alike?.size === 0) this.#byKey.delete(waiter.key)
    this.#size -= 1
  }

  /**
   * Finds the waiter whose key has the fewest places; among these, the one that came first.
   *
   * @param placesOf - how many places a key has
   * @param limit - a key with so many gets no more
   */
  next(placesOf: (key: string) => number, limit: number): Waiter | undefined {
    let next: Queued | undefined
    let fewest = limit - 1
    for (const [key, [first]] of this.#byKey) {
      const places = placesOf(key)
      const [, queued] = first ?? []
      if (queued === undefined || places > fewest) continue
      if (next !== undefined && places === fewest && queued.order > next.order) continue
      next = queued
      fewest = places
    }
    return next?.waiter
  }
}
