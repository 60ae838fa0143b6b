import { DeadlineExceeded, untilAborted } from './deadline.ts'

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

interface Place {
  readonly key: string
  /** Has been held for as long as it may when others wait for it. */
  overdue: boolean
  /** Takes it away. */
  readonly eviction: AbortController
  patience?: ReturnType<typeof setTimeout>
}

interface Waiter {
  readonly key: string
  readonly enter: () => void
}

/**
 * Bounds how many tasks are under way, in all and for each key. A place that becomes free goes to the
 * waiter whose key has the fewest, the first among these: one key cannot hold up the others.
 */
export class Gate {
  readonly #limits: GateLimits
  readonly #running = new Map<string, number>()
  /** In the order in which they were taken. */
  readonly #places = new Set<Place>()
  readonly #waiting = new Set<Waiter>()

  constructor(limits: GateLimits) {
    this.#limits = limits
  }

  /**
   * Runs `task` as soon as there is room for it. When `signal` fires, its place is free at once, in the
   * queue as well as while it runs; the task is left behind, and must stop when its signal fires.
   *
   * @throws {GateRefusal} when the queue is full, or `signal` fired while waiting
   * @throws {DeadlineExceeded} when the place was taken away for another key
   */
  async run<T>(
    key: string,
    signal: AbortSignal,
    task: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (signal.aborted) throw new GateRefusal('gave up before')
    const place = this.#hasRoom(key) ? this.#take(key) : await this.#wait(key, signal)
    try {
      signal.throwIfAborted()
      const inner = this.#mayEvict() ? AbortSignal.any([signal, place.eviction.signal]) : signal
      return await untilAborted(inner, task(inner))
    } finally {
      this.#leave(place)
    }
  }

  #mayEvict(): boolean {
    return this.#limits.patienceMs !== undefined
  }

  #runningOf(key: string): number {
    return this.#running.get(key) ?? 0
  }

  #isFull(): boolean {
    return this.#places.size >= this.#limits.total
  }

  #hasRoom(key: string): boolean {
    return !this.#isFull() && this.#runningOf(key) < this.#limits.perKey
  }

  #take(key: string): Place {
    const place: Place = { key, overdue: false, eviction: new AbortController() }
    this.#places.add(place)
    this.#running.set(key, this.#runningOf(key) + 1)
    const { patienceMs } = this.#limits
    if (patienceMs !== undefined) {
      place.patience = setTimeout(() => {
        place.overdue = true
        if ([...this.#waiting].some((waiter) => this.#lacksRoom(waiter))) this.#evict(place)
      }, patienceMs)
    }
    return place
  }

  /** Tells whether a waiter would enter if any place at all became free. */
  #lacksRoom({ key }: Waiter): boolean {
    return this.#isFull() && this.#runningOf(key) < this.#limits.perKey
  }

  #evict(place: Place): void {
    place.overdue = false
    place.eviction.abort(new DeadlineExceeded(this.#limits.patienceMs ?? 0))
  }

  #evictLongestFor(waiter: Waiter): void {
    if (!this.#lacksRoom(waiter)) return
    for (const place of this.#places) {
      if (!place.overdue) continue
      this.#evict(place)
      return
    }
  }

  #wait(key: string, signal: AbortSignal): Promise<Place> {
    if (this.#waiting.size >= this.#limits.maxWaiting) {
      return Promise.reject(new GateRefusal('too many requests are waiting'))
    }
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.delete(waiter)
        reject(new GateRefusal('gave up waiting'))
      }
      const waiter: Waiter = {
        key,
        enter: () => {
          signal.removeEventListener('abort', giveUp)
          this.#waiting.delete(waiter)
          resolve(this.#take(key))
        },
      }
      this.#waiting.add(waiter)
      signal.addEventListener('abort', giveUp, { once: true })
      this.#evictLongestFor(waiter)
    })
  }

  #leave(place: Place): void {
    clearTimeout(place.patience)
    this.#places.delete(place)
    const left = this.#runningOf(place.key) - 1
    if (left === 0) this.#running.delete(place.key)
    else this.#running.set(place.key, left)
    this.#next()?.enter()
  }

  #next(): Waiter | undefined {
    let next: Waiter | undefined
    let fewest = this.#limits.perKey
    for (const waiter of this.#waiting) {
      const running = this.#runningOf(waiter.key)
      if (running >= fewest) continue
      next = waiter
      fewest = running
      if (running === 0) break
    }
    return next
  }
}
