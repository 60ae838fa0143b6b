import { type Linked, LinkedList } from './linked-list.ts'

/** Somebody who waits for a place. */
export interface Waiter extends Linked<Waiter> {
  readonly key: string
  /** Takes the place. */
  readonly enter: () => void
  /** When it came, among all; the queue sets it. */
  order?: number
}

/**
 * Waiters by key. Finding the next one takes as long as there are keys, not waiters: in a burst hundreds
 * wait for one key.
 */
export class FairQueue {
  /** In each, the order in which they came; a key that nobody waits for is not in it. */
  readonly #byKey = new Map<string, LinkedList<Waiter>>()
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
    const alike = this.#byKey.get(waiter.key) ?? new LinkedList<Waiter>()
    if (alike.size === 0) this.#byKey.set(waiter.key, alike)
    this.#lastOrder += 1
    waiter.order = this.#lastOrder
    alike.add(waiter)
    this.#size += 1
  }

  /** Removes a waiter, unless it has left already. */
  remove(waiter: Waiter): void {
    const alike = this.#byKey.get(waiter.key)
    if (alike === undefined || !alike.remove(waiter)) return
    if (alike.size === 0) this.#byKey.delete(waiter.key)
    this.#size -= 1
  }

  /**
   * Finds the waiter whose key has the fewest places; among these, the one that came first.
   *
   * @param placesOf - how many places a key has
   * @param limit - a key with so many gets no more
   */
  next(placesOf: (key: string) => number, limit: number): Waiter | undefined {
    if (this.#size === 0) return undefined
    let next: Waiter | undefined
    let fewest = limit - 1
    for (const [key, { first }] of this.#byKey) {
      const places = placesOf(key)
      if (first === undefined || places > fewest) continue
      if (next !== undefined && places === fewest && came(next) < came(first)) continue
      next = first
      fewest = places
    }
    return next
  }
}

function came({ order = 0 }: Waiter): number {
  return order
}
