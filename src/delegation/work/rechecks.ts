import { type DelegationStore, StoreUnavailable } from '../store/store.ts'
import type { Changes } from './changes.ts'

/** What rechecks need. */
export interface RechecksOptions {
  readonly store: DelegationStore
  readonly changes: Changes
  /** Told that there is more to do now. */
  readonly onBatch: () => void
  /** Whether there is more to do than can be done at the moment. */
  readonly isBusy: () => boolean
  readonly onBug: (error: unknown) => void
}

const PACE_MS = 5

/** Has the presence of all participants checked when webhooks may have been missed. */
export class Rechecks {
  readonly #options: RechecksOptions
  #due = true
  #running = false
  #stopped = false

  constructor(options: RechecksOptions) {
    this.#options = options
  }

  /** Has everybody checked once the store is there. */
  request(): void {
    this.#due = true
  }

  /** Begins what was requested, unless it is under way. */
  startIfDue(): void {
    if (!this.#due || this.#running) return
    this.#due = false
    this.#running = true
    this.#run()
      .catch((error: unknown) => {
        this.#due = true
        if (!(error instanceof StoreUnavailable)) this.#options.onBug(error)
      })
      .finally(() => {
        this.#running = false
      })
  }

  stop(): void {
    this.#stopped = true
  }

  async #run(): Promise<void> {
    const { store, changes, onBatch, isBusy } = this.#options
    await store.scan(async (batch) => {
      for (const stored of batch) {
        if (this.#stopped) return
        await changes.applyTo(stored, { type: 'doubt' })
      }
      onBatch()
      // Restarts that are due must not wait behind all these checks.
      do await Bun.sleep(PACE_MS)
      while (isBusy() && !this.#stopped)
    })
  }
}
