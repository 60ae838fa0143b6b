import { type Linked, LinkedList } from './linked-list.ts'

/** Somebody who waits for a place. */
export interface Waiter extends Linked<Waiter> {
  readonly key: string
  /** On whose behalf; `undefined` if nobody knows. */
  readonly asker: string | undefined
  /** Takes the place. */
  readonly enter: () => void
  /** When it came, among all; the queue sets it. */
  order?: number
}

/** Who has how many places. */
export interface Occupancy {
  ofKey(key: string): number
  ofAsker(asker: string): number
}

/** How many places a key and an asker may have at most. */
export interface Shares {
  readonly perKey: number
  readonly perAsker: number
}

/** Waiters of one key and asker are alike, and stand in one line. */
function lineOf({ key, asker }: Waiter): string {
  return asker === undefined ? key : `${key}\n${asker}`
}

function came({ order = 0 }: Waiter): number {
  return order
}

/**
 * Waiters by key and asker. Finding the next one takes as long as there are lines of these, not waiters:
 * in a burst hundreds stand in one line.
 */
export class FairQueue {
  /** In each, the order in which they came; none is empty. */
  readonly #lines = new Map<string, LinkedList<Waiter>>()
  /** How many wait, by asker; none is zero. */
  readonly #byAsker = new Map<string, number>()
  #size = 0
  #lastOrder = 0

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  /** How many wait on behalf of somebody. */
  sizeOf(asker: string): number {
    return this.#byAsker.get(asker) ?? 0
  }

  add(waiter: Waiter): void {
    const name = lineOf(waiter)
    const line = this.#lines.get(name) ?? new LinkedList<Waiter>()
    if (line.size === 0) this.#lines.set(name, line)
    this.#lastOrder += 1
    waiter.order = this.#lastOrder
    line.add(waiter)
    this.#count(waiter, 1)
  }

  /** Removes a waiter, unless it has left already. */
  remove(waiter: Waiter): void {
    const name = lineOf(waiter)
    const line = this.#lines.get(name)
    if (line === undefined || !line.remove(waiter)) return
    if (line.size === 0) this.#lines.delete(name)
    this.#count(waiter, -1)
  }

  #count({ asker }: Waiter, change: number): void {
    this.#size += change
    if (asker === undefined) return
    const waiting = this.sizeOf(asker) + change
    if (waiting === 0) this.#byAsker.delete(asker)
    else this.#byAsker.set(asker, waiting)
  }

  /**
   * Finds the waiter whose asker has the fewest places; among these, whose key has; among these, the one
   * that came first. Where no asker is known, the key stands for it.
   */
  next(places: Occupancy, { perKey, perAsker }: Shares): Waiter | undefined {
    let next: Waiter | undefined
    let fewestOfAsker = perAsker
    let fewestOfKey = perKey
    for (const { first } of this.#lines.values()) {
      if (first === undefined) continue
      const ofKey = places.ofKey(first.key)
      if (ofKey >= perKey) continue
      const ofAsker = first.asker === undefined ? ofKey : places.ofAsker(first.asker)
      if (first.asker !== undefined && ofAsker >= perAsker) continue
      const isBefore =
        next === undefined ||
        ofAsker < fewestOfAsker ||
        (ofAsker === fewestOfAsker &&
          (ofKey < fewestOfKey || (ofKey === fewestOfKey && came(first) < came(next))))
      if (!isBefore) continue
      next = first
      fewestOfAsker = ofAsker
      fewestOfKey = ofKey
    }
    return next
  }
}
