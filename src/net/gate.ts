/** Limits of a {@link Gate}. */
export interface GateLimits {
  /** How many tasks of one key run at once. */
  readonly perKey: number
  /** How many tasks run at once in all. */
  readonly total: number
  /** How many tasks may wait; further ones are refused at once. */
  readonly maxWaiting: number
}

/** A task was not run because too many others were running. */
export class GateRefusal extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'GateRefusal'
  }
}

interface Waiter {
  readonly key: string
  readonly enter: () => void
}

/** Bounds how many tasks are under way, in all and for each key; the rest wait in order. */
export class Gate {
  readonly #limits: GateLimits
  readonly #running = new Map<string, number>()
  readonly #waiting = new Set<Waiter>()
  #total = 0

  constructor(limits: GateLimits) {
    this.#limits = limits
  }

  /**
   * Runs `task` as soon as there is room for it.
   *
   * @param signal - gives up the place in the queue when it fires; a running task must watch it itself
   * @throws {GateRefusal} when the queue is full, or `signal` fired while waiting
   */
  async run<T>(key: string, signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    if (signal.aborted) throw new GateRefusal('gave up before')
    if (this.#hasRoom(key)) {
      this.#start(key)
    } else {
      await this.#wait(key, signal)
    }
    try {
      return await task()
    } finally {
      this.#finish(key)
    }
  }

  #hasRoom(key: string): boolean {
    return this.#total < this.#limits.total && (this.#running.get(key) ?? 0) < this.#limits.perKey
  }

  #start(key: string): void {
    this.#total += 1
    this.#running.set(key, (this.#running.get(key) ?? 0) + 1)
  }

  #wait(key: string, signal: AbortSignal): Promise<void> {
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
          this.#start(key)
          resolve()
        },
      }
      this.#waiting.add(waiter)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  #finish(key: string): void {
    this.#total -= 1
    const left = (this.#running.get(key) ?? 1) - 1
    if (left === 0) this.#running.delete(key)
    else this.#running.set(key, left)
    for (const waiter of this.#waiting) {
      if (!this.#hasRoom(waiter.key)) continue
      waiter.enter()
      return
    }
  }
}
