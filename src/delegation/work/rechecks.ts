import { type DelegationStore, StoreUnavailable } from '../store/store.ts'
import type { Changes } from './changes.ts'

/** Options of {@link Rechecks}. */
export interface RechecksOptions {
  readonly store: DelegationStore
  readonly changes: Changes
  /** Called when a batch has become due. */
  readonly onBatch: () => void
  /** Whether the worker has a backlog. */
  readonly isBusy: () => boolean
  readonly onBug: (error: unknown) => void
}

const PACE_MS = 5

/**
 * Makes the presence of every participant due for a check when webhooks may have been missed.
 *
 * Promise: every replica that starts, and every one whose store was away, asks the SFU about everybody.
 */
export class Rechecks {
  readonly #options: RechecksOptions
  #due = true
  #running = false
  #stopped = false

  constructor(options: RechecksOptions) {
    this.#options = options
  }

  /** Requests a recheck, which starts once the store answers. */
  request(): void {
    this.#due = true
  }

  /** Starts a requested recheck, unless one is under way. */
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
      // Due restarts must not queue behind all these checks.
      do await Bun.sleep(PACE_MS)
      while (isBusy() && !this.#stopped)
    })
  }
}
