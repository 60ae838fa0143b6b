import { advance } from '../life/lifecycle.ts'
import type { Circumstances, Step, Transition } from '../life/moves.ts'
import type { Delegation, ParticipantKey } from '../life/record.ts'
import { dueAt, isSameStage } from '../life/record.ts'
import type { DelegationSignal } from '../life/signals.ts'
import type { DelegationStore, Notice, Stored } from '../store/store.ts'

/** Called on every change of state. */
export type OnTransition = (delegation: Delegation, transition: Transition) => void

/** Options of {@link createChanges}. */
export interface ChangeOptions {
  readonly store: DelegationStore
  readonly circumstances: () => Circumstances
  readonly onTransition: OnTransition
}

/** Applies signals to stored delegations, safely against concurrent changes. */
export interface Changes {
  /** Applies a signal to a delegation, even if it has changed since it was read. */
  applyTo(stored: Stored, signal: DelegationSignal): Promise<void>
  /** Applies a signal to a delegation, unless its state has changed since it was read. */
  applyInState(stored: Stored, signal: DelegationSignal): Promise<void>
  /**
   * Applies a signal to a delegation, unless anything in it has changed since it was read.
   *
   * @returns whether it was applied
   */
  applyIfUnchanged(stored: Stored, signal: DelegationSignal): Promise<boolean>
  /** Applies a signal to the delegation of a participant, if there is one. */
  applyFor(key: ParticipantKey, signal: DelegationSignal): Promise<void>
}

/** Signals from outside; the others are results of a worker's own actions, which end its lease. */
const REPORTS: readonly DelegationSignal['type'][] = [
  'doubt',
  'joined',
  'left',
  'aborted',
  'room-finished',
  'expelled',
]

function isDue(next: Delegation | undefined, now: number): boolean {
  return next !== undefined && dueAt(next) <= now
}

function noticeOf(signal: DelegationSignal, { next, transition }: Step, now: number): Notice {
  // A report that keeps the state must keep the lease too, or a second worker would act in parallel.
  if (!REPORTS.includes(signal.type) || transition !== undefined) {
    return isDue(next, now) ? 'wake' : 'quiet'
  }
  // Doubt concerns every delegation: no wake for each, workers find them on their next poll.
  return isDue(next, now) && signal.type !== 'doubt' ? 'keep-lease-and-wake' : 'keep-lease'
}

/** Creates {@link Changes}; nothing else changes stored delegations. */
export function createChanges({ store, circumstances, onTransition }: ChangeOptions): Changes {
  async function tryApply(stored: Stored, signal: DelegationSignal): Promise<boolean> {
    const { delegation } = stored
    const at = circumstances()
    const step = advance(delegation, signal, at)
    const { next, transition } = step
    // Even a write of the same value would end the lease of the worker that holds it.
    if (next === delegation || JSON.stringify(next) === JSON.stringify(delegation)) return true
    const notice = noticeOf(signal, step, at.now)
    if (!(await store.replace(stored, next, notice))) return false
    if (transition !== undefined) onTransition(delegation, transition)
    return true
  }

  async function applyWhile(
    isMeant: (current: Delegation) => boolean,
    stored: Stored,
    signal: DelegationSignal,
  ): Promise<void> {
    let current: Stored | undefined = stored
    while (current !== undefined && isMeant(current.delegation)) {
      if (await tryApply(current, signal)) return
      current = await store.find(stored.delegation)
    }
  }

  return {
    // A late result must not touch the delegation that replaced this one.
    applyTo: (stored, signal) =>
      applyWhile(({ generation }) => generation === stored.delegation.generation, stored, signal),
    applyInState: (stored, signal) =>
      applyWhile((current) => isSameStage(current, stored.delegation), stored, signal),
    applyIfUnchanged: tryApply,
    async applyFor(key, signal) {
      for (;;) {
        const stored = await store.find(key)
        if (stored === undefined || (await tryApply(stored, signal))) return
      }
    },
  }
}
