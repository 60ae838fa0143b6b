import type { Delegation, ParticipantKey } from '../life/record.ts'
import type { DelegationStore } from '../store/store.ts'
import { methodsOf } from '../store/store-methods.ts'

/** The last known record of each delegation that this replica has worked on. */
export class Memory {
  readonly #delegations = new Map<string, Delegation>()
  readonly #unsaved = new Set<Delegation>()

  get size(): number {
    return this.#delegations.size
  }

  /** Delegations with changes that could not be stored. */
  get unsaved(): readonly Delegation[] {
    return [...this.#unsaved]
  }

  all(): Iterable<Delegation> {
    return this.#delegations.values()
  }

  find(key: ParticipantKey): Delegation | undefined {
    return this.#delegations.get(nameOf(key))
  }

  /** Remembers a delegation as it is stored. */
  remember(delegation: Delegation): void {
    this.forget(this.find(delegation))
    this.#delegations.set(nameOf(delegation), delegation)
  }

  /** Remembers a change that could not be stored, unless another delegation has replaced this one. */
  rememberUnsaved(delegation: Delegation): void {
    const former = this.find(delegation)
    if (former !== undefined && former.generation !== delegation.generation) return
    this.remember(delegation)
    this.#unsaved.add(delegation)
  }

  /** Forgets a delegation, unless another one has replaced it. */
  forget(delegation: Delegation | undefined): void {
    if (delegation === undefined) return
    const held = this.find(delegation)
    if (held?.generation !== delegation.generation) return
    this.#unsaved.delete(held)
    this.#delegations.delete(nameOf(delegation))
  }

  /** Forgets delegations past their deadline: the homeserver has sent their events. */
  forgetOver(now: number): void {
    for (const delegation of this.#delegations.values()) {
      if (delegation.deadlineAt < now) this.forget(delegation)
    }
  }
}

function nameOf({ room, identity }: ParticipantKey): string {
  return JSON.stringify([room, identity])
}

/**
 * Wraps a store so that every change is remembered, also one that could not be stored: an event that
 * was restarted at the homeserver stays restarted.
 */
export function rememberChanges(store: DelegationStore, memory: Memory): DelegationStore {
  return {
    ...methodsOf(store),
    async put(delegation, bounds) {
      const outcome = await store.put(delegation, bounds)
      if (outcome === 'stored') memory.remember(delegation)
      return outcome
    },
    async replace(stored, next, notice) {
      const isCurrent = await store.replace(stored, next, notice).catch((error: unknown) => {
        if (next !== undefined) memory.rememberUnsaved(next)
        throw error
      })
      if (next === undefined) memory.forget(stored.delegation)
      else if (isCurrent) memory.remember(next)
      // The store may have been emptied meanwhile, and is to be filled again with this.
      else memory.rememberUnsaved(next)
      return isCurrent
    },
  }
}
