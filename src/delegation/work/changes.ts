import { advance } from '../life/lifecycle.ts'
import type { Circumstances, Step, Transition } from '../life/moves.ts'
import type { Delegation, ParticipantKey } from '../life/record.ts'
import { dueAt, isSameStage } from '../life/record.ts'
import type { DelegationSignal } from '../life/signals.ts'
import type { DelegationStore, Notice, Stored } from '../store/store.ts'

/** Told of every change of state. */
export type OnTransition = (delegation: Delegation, transition: Transition) => void

/** What applying a signal needs. */
export interface ChangeOptions {
  readonly store: DelegationStore
  readonly circumstances: () => Circumstances
  readonly onTransition: OnTransition
}

/** Applies signals to stored delegations, whoever else changes them meanwhile. */
export interface Changes {
  /** Applies a signal to what was read, or to what has become of it since. */
  applyTo(stored: Stored, signal: DelegationSignal): Promise<void>
  /** Applies a signal to what was read, or to what has become of it while its state stayed. */
  applyInState(stored: Stored, signal: DelegationSignal): Promise<void>
  /**
   * Applies a signal to what was read, or to nothing when it has been changed since.
   *
   * @returns whether it was applied
   */
  applyIfUnchanged(stored: Stored, signal: DelegationSignal): Promise<boolean>
  /** Applies a signal to the delegation of a participant, if there is one. */
  applyFor(key: ParticipantKey, signal: DelegationSignal): Promise<void>
}

/** What is reported to the service, whoever is at work. */
const REPORTS: readonly DelegationSignal['type'][] = [
  'doubt',
  'joined',
  'left',
  'aborted',
  'room-finished',
]

function isDue(next: Delegation | undefined, now: number): boolean {
  return next !== undefined && dueAt(next) <= now
}

function noticeOf(signal: DelegationSignal, { next, transition }: Step, now: number): Notice {
  // A report that leaves the state as it is must not keep a restart under way from counting.
  if (!REPORTS.includes(signal.type) || transition !== undefined) {
    return isDue(next, now) ? 'wake' : 'quiet'
  }
  // Doubt concerns all at once: it can wait until workers look for themselves.
  return isDue(next, now) && signal.type !== 'doubt' ? 'keep-lease-and-wake' : 'keep-lease'
}

/** Makes the one way by which stored delegations change. */
export function createChanges({ store, circumstances, onTransition }: ChangeOptions): Changes {
  async function tryApply(stored: Stored, signal: DelegationSignal): Promise<boolean> {
    const { delegation } = stored
    const at = circumstances()
    const step = advance(delegation, signal, at)
    const { next, transition } = step
    // Even a change to the same would end the lease of whoever is at work.
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
    // What has come in its place must not be touched by what it had under way.
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
