import type { ParticipantKey } from '../life/record.ts'

/** Hears that something is due now. */
export type WakeListener = (key: ParticipantKey | undefined) => void

/** Those who want to hear that something is due now. */
export class WakeListeners {
  readonly #listeners = new Set<WakeListener>()

  /** @returns a function that removes the listener */
  add(listener: WakeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(key: ParticipantKey | undefined): void {
    for (const listener of this.#listeners) listener(key)
  }
}
