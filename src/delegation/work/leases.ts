import type { Circumstances } from '../life/moves.ts'
import { type Delegation, dueAt, isSameStage } from '../life/record.ts'
import { type DelegationStore, leaseMs, type Stored } from '../store/store.ts'

/** Longest lease, and so the longest pause before another worker takes over from one that died. */
export const MAX_LEASE_MS = 10_000

/** The leases of the delegations that this worker acts on. */
export class Leases {
  readonly #store: DelegationStore
  readonly #circumstances: () => Circumstances

  constructor(store: DelegationStore, circumstances: () => Circumstances) {
    this.#store = store
    this.#circumstances = circumstances
  }

  /**
   * Renews a lease, and again and again, as long as the delegation stays in its state.
   *
   * @returns a function that ends the renewals
   */
  keep(stored: Stored): () => void {
    const lease = leaseMs(stored.delegation.delayMs, MAX_LEASE_MS)
    let stopped = false
    const renew = async () => {
      const current = await this.#store.find(stored.delegation)
      if (stopped || current === undefined) return
      if (!isSameStage(current.delegation, stored.delegation)) return
      await this.#store.postpone(current, this.#circumstances().now + lease)
    }
    const timer = setInterval(() => {
      renew().catch(() => {
        // The lease runs out, and another worker may act too: harmless, one request too many.
      })
    }, lease / 2)
    return () => {
      stopped = true
      clearInterval(timer)
    }
  }

  /** Ends the lease of a delegation, however it changes meanwhile. */
  async release(delegation: Delegation): Promise<void> {
    let current = await this.#store.find(delegation)
    while (current?.delegation.generation === delegation.generation) {
      await this.#store.postpone(current, this.#circumstances().now)
      const after = await this.#store.find(delegation)
      if (after?.text === current.text) return
      current = after
    }
  }

  /** A report made the outcome obsolete but kept the lease: ends it, so that the action is repeated now. */
  async end(stored: Stored): Promise<void> {
    const current = await this.#store.find(stored.delegation)
    if (current === undefined || !isSameStage(current.delegation, stored.delegation)) return
    await this.#store.postpone(current, dueAt(current.delegation))
    await this.#store.wakeAll()
  }
}
