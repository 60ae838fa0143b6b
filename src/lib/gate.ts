import type { Cancellation } from './cancellation.ts'
import { DeadlineExceeded, settle } from './deadline.ts'
import { FairQueue, type Occupancy, type Shares, type Waiter } from './fair-queue.ts'
import { type Linked, LinkedList } from './linked-list.ts'

/** Limits of a {@link Gate}. */
export interface GateLimits {
  /** How many tasks of one key run at once. */
  readonly perKey: number
  /** How many tasks run at once in all. */
  readonly total: number
  /** How many tasks run at once on behalf of one asker; without it, as many as run in all. */
  readonly perAsker?: number
  /** How many tasks may wait; further ones are refused at once. */
  readonly maxWaiting: number
  /** How many of these may wait on behalf of one asker; without it, all. */
  readonly maxWaitingPerAsker?: number
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

/** What a task is about. */
export interface Subject {
  readonly key: string
  /** On whose behalf it runs, if that is known: somebody who asks about many keys is one asker. */
  readonly asker?: string | undefined
}

interface Count {
  readonly name: string
  now: number
}

/** Counts by name; those at zero are forgotten. */
class Counts {
  readonly #counts = new Map<string, Count>()

  of(name: string): number {
    return this.#counts.get(name)?.now ?? 0
  }

  /** @returns what is to be {@link lower}ed later */
  raise(name: string): Count {
    const count = this.#counts.get(name) ?? { name, now: 0 }
    if (count.now === 0) this.#counts.set(name, count)
    count.now += 1
    return count
  }

  lower(count: Count): void {
    count.now -= 1
    if (count.now === 0) this.#counts.delete(count.name)
  }
}

interface Place extends Linked<Place> {
  readonly ofKey: Count
  readonly ofAsker: Count | undefined
  /** Monotonic. */
  readonly takenAtMs: number
  /** Ends its task. */
  readonly cancellation: Cancellation
}

/**
 * Bounds how many tasks are under way, in all, for each key and for each asker. A place that becomes free
 * goes to the waiter whose asker has the fewest, then to that whose key has, then to the first: neither
 * one key nor one asker, whatever the keys, can hold up the others.
 */
export class Gate {
  readonly #limits: GateLimits
  readonly #shares: Shares
  /** How many tasks are under way for each. */
  readonly #keys = new Counts()
  readonly #askers = new Counts()
  readonly #occupancy: Occupancy = {
    ofKey: (key) => this.#keys.of(key),
    ofAsker: (asker) => this.#askers.of(asker),
  }
  /** In the order in which they were taken. */
  readonly #places = new LinkedList<Place>()
  readonly #waiting = new FairQueue()
  /** Runs while somebody waits, and no longer: most tasks never need a timer. */
  #patience: ReturnType<typeof setTimeout> | undefined

  constructor(limits: GateLimits) {
    this.#limits = limits
    this.#shares = { perKey: limits.perKey, perAsker: limits.perAsker ?? limits.total }
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
   * @throws {GateRefusal} when the queue is full, or holds enough of the asker, or the task was cancelled while waiting
   * @throws {DeadlineExceeded} when the place was taken away
   */
  run<T>(
    subject: Subject,
    cancellation: Cancellation,
    task: (cancellation: Cancellation) => Promise<T>,
  ): Promise<T> {
    if (cancellation.aborted) return Promise.reject(new GateRefusal('gave up before'))
    if (this.#hasRoom(subject)) return this.#hold(this.#take(subject, cancellation), task)
    return this.#wait(subject, cancellation).then((place) => this.#hold(place, task))
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

  #isFull(): boolean {
    return this.#places.size >= this.#limits.total
  }

  #hasRoom({ key, asker }: Subject): boolean {
    const { perKey, perAsker } = this.#shares
    if (this.#isFull() || this.#keys.of(key) >= perKey) return false
    return asker === undefined || this.#askers.of(asker) < perAsker
  }

  #take({ key, asker }: Subject, cancellation: Cancellation): Place {
    const ofKey = this.#keys.raise(key)
    const ofAsker = asker === undefined ? undefined : this.#askers.raise(asker)
    const place: Place = { ofKey, ofAsker, takenAtMs: performance.now(), cancellation }
    this.#places.add(place)
    return place
  }

  /** Tells whether anybody would enter if any place at all became free. */
  #isRoomLacking(): boolean {
    return this.#isFull() && this.#waiting.next(this.#occupancy, this.#shares) !== undefined
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

  #isQueueFull({ asker }: Subject): boolean {
    const { maxWaiting, maxWaitingPerAsker = maxWaiting } = this.#limits
    if (this.#waiting.size >= maxWaiting) return true
    return asker !== undefined && this.#waiting.sizeOf(asker) >= maxWaitingPerAsker
  }

  #wait(subject: Subject, cancellation: Cancellation): Promise<Place> {
    const { patienceMs } = this.#limits
    if (this.#isQueueFull(subject)) {
      return Promise.reject(new GateRefusal('too many requests are waiting'))
    }
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#forget(waiter)
        reject(new GateRefusal('gave up waiting'))
      }
      const waiter: Waiter = {
        key: subject.key,
        asker: subject.asker,
        enter: () => {
          cancellation.removeEventListener('abort', giveUp)
          this.#forget(waiter)
          resolve(this.#take(subject, cancellation))
        },
      }
      this.#waiting.add(waiter)
      cancellation.addEventListener('abort', giveUp)
      if (patienceMs !== undefined && this.#patience === undefined) {
        this.#lookAfterWaiters(patienceMs)
      }
    })
  }

  /** One place can let in two: one who waited for its key, and one who waited for its asker. */
  #admitWaiters(): void {
    while (this.#waiting.size > 0 && !this.#isFull()) {
      const waiter = this.#waiting.next(this.#occupancy, this.#shares)
      if (waiter === undefined) return
      waiter.enter()
    }
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
    this.#keys.lower(place.ofKey)
    if (place.ofAsker !== undefined) this.#askers.lower(place.ofAsker)
    this.#admitWaiters()
  }
}
