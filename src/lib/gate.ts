import type { Cancellation } from './cancellation.ts'
import { DeadlineExceeded, settle } from './deadline.ts'
import { FairQueue, type Waiter } from './fair-queue.ts'
import { type Linked, LinkedList } from './linked-list.ts'

/** Limits of a {@link Gate}. */
export interface GateLimits {
  /** How many tasks of one key run at once. */
  readonly perKey: number
  /** How many tasks run at once in all. */
  readonly total: number
  /** How many tasks may wait; further ones are refused at once. */
  readonly maxWaiting: number
  /** How long a task may hold a place that another key waits for; without it, as long as it takes. */
  readonly patienceMs?: number
}

/** A task was not run because too many others were running. */
export class GateRefusal extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'GateRefusal'
  }
}

/** How soon a waiter that has just come to need a place is seen, when places are overdue already. */
const RECHECK_MS = 100

interface Key {
  readonly name: string
  /** How many of its tasks are under way. */
  running: number
}

interface Place extends Linked<Place> {
  readonly key: Key
  /** Monotonic. */
  readonly takenAtMs: number
  /** Ends its task. */
  readonly cancellation: Cancellation
}

/**
 * Bounds how many tasks are under way, in all and for each key. A place that becomes free goes to the
 * waiter whose key has the fewest, the first among these: one key cannot hold up the others.
 */
export class Gate {
  readonly #limits: GateLimits
  /** Those with tasks under way, by name. */
  readonly #keys = new Map<string, Key>()
  /** In the order in which they were taken. */
  readonly #places = new LinkedList<Place>()
  readonly #waiting = new FairQueue()
  /** Runs while somebody waits, and no longer: most tasks never need a timer. */
  #patience: ReturnType<typeof setTimeout> | undefined

  constructor(limits: GateLimits) {
    this.#limits = limits
  }

  /** How many tasks are under way. */
  get running(): number {
    return this.#places.size
  }

  /** How many tasks wait for a place. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * Runs `task` as soon as there is room for it. When it is cancelled, its place is free at once, in the
   * queue as well as while it runs; the task is left behind, and must stop when it is told.
   *
   * @param cancellation - ends the task; the gate does so when the place is taken away for another key
   * @throws {GateRefusal} when the queue is full, or the task was cancelled while waiting
   * @throws {DeadlineExceeded} when the place was taken away
   */
  run<T>(
    key: string,
    cancellation: Cancellation,
    task: (cancellation: Cancellation) => Promise<T>,
  ): Promise<T> {
    if (cancellation.aborted) return Promise.reject(new GateRefusal('gave up before'))
    if (this.#hasRoom(key)) return this.#hold(this.#take(key, cancellation), task)
    return this.#wait(key, cancellation).then((place) => this.#hold(place, task))
  }

  #hold<T>(place: Place, task: (cancellation: Cancellation) => Promise<T>): Promise<T> {
    const { cancellation } = place
    return new Promise((resolve, reject) => {
      const release = () => {
        cancellation.removeEventListener('abort', giveUp)
        this.#leave(place)
      }
      const giveUp = () => {
        release()
        reject(cancellation.reason)
      }
      if (cancellation.aborted) return giveUp()
      cancellation.addEventListener('abort', giveUp)
      try {
        settle(task(cancellation), { resolve, reject, release })
      } catch (error) {
        release()
        reject(error)
      }
    })
  }

  #runningOf(key: string): number {
    return this.#keys.get(key)?.running ?? 0
  }

  #isFull(): boolean {
    return this.#places.size >= this.#limits.total
  }

  #hasRoom(key: string): boolean {
    return !this.#isFull() && this.#runningOf(key) < this.#limits.perKey
  }

  #take(key: string, cancellation: Cancellation): Place {
    const held = this.#keys.get(key) ?? { name: key, running: 0 }
    if (held.running === 0) this.#keys.set(key, held)
    held.running += 1
    const place: Place = { key: held, takenAtMs: performance.now(), cancellation }
    this.#places.add(place)
    return place
  }

  /** Tells whether anybody would enter if any place at all became free. */
  #isRoomLacking(): boolean {
    if (!this.#isFull()) return false
    for (const key of this.#waiting.keys()) {
      if (this.#runningOf(key) < this.#limits.perKey) return true
    }
    return false
  }

  /** The place that has been held for longest, unless it is being taken away already. */
  #oldest(): Place | undefined {
    let place = this.#places.first
    while (place?.cancellation.aborted) place = place.next
    return place
  }

  /** Takes away the oldest place if its time is over and a waiter needs it; gives when to look again. */
  #evictOverdue(patienceMs: number): number {
    const oldest = this.#oldest()
    if (oldest === undefined) return RECHECK_MS
    const leftMs = oldest.takenAtMs + patienceMs - performance.now()
    if (leftMs > 0) return leftMs
    if (!this.#isRoomLacking()) return RECHECK_MS
    oldest.cancellation.abort(new DeadlineExceeded(patienceMs))
    return 0
  }

  #lookAfterWaiters(patienceMs: number): void {
    const againMs = this.#evictOverdue(patienceMs)
    this.#patience = setTimeout(() => this.#lookAfterWaiters(patienceMs), againMs)
  }

  #wait(key: string, cancellation: Cancellation): Promise<Place> {
    const { maxWaiting, patienceMs } = this.#limits
    if (this.#waiting.size >= maxWaiting) {
      return Promise.reject(new GateRefusal('too many requests are waiting'))
    }
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#forget(waiter)
        reject(new GateRefusal('gave up waiting'))
      }
      const waiter: Waiter = {
        key,
        enter: () => {
          cancellation.removeEventListener('abort', giveUp)
          this.#forget(waiter)
          resolve(this.#take(key, cancellation))
        },
      }
      this.#waiting.add(waiter)
      cancellation.addEventListener('abort', giveUp)
      if (patienceMs !== undefined && this.#patience === undefined) {
        this.#lookAfterWaiters(patienceMs)
      }
    })
  }

  #forget(waiter: Waiter): void {
    this.#waiting.remove(waiter)
    if (this.#waiting.size > 0) return
    clearTimeout(this.#patience)
    this.#patience = undefined
  }

  #leave(place: Place): void {
    // A task that was left behind gives its place back a second time.
    if (!this.#places.remove(place)) return
    const { key } = place
    key.running -= 1
    if (key.running === 0) this.#keys.delete(key.name)
    this.#waiting.next((key) => this.#runningOf(key), this.#limits.perKey)?.enter()
  }
}
