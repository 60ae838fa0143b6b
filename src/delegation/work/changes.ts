import { advance } from '../life/lifecycle.ts'
import type { Circumstances, Step, Transition } from '../life/moves.ts'
import type { Delegation, ParticipantKey } from '../life/record.ts'
import { dueAt, isSameStage } from '../life/record.ts'
import type { DelegationEvent } from '../life/signals.ts'
import type { DelegationStore, Notice, Stored } from '../store/store.ts'

/** Told of every change of state. */
export type OnTransition = (delegation: Delegation, transition: Transition) => void

/** What applying an event needs. */
export interface ChangeOptions {
  readonly store: DelegationStore
  readonly around: () => Circumstances
  readonly onTransition: OnTransition
}

/** Applies events to stored delegations, whoever else changes them meanwhile. */
export interface Changes {
  /** Applies an event to what was read, or to what has become of it since. */
  applyTo(stored: Stored, event: DelegationEvent): Promise<void>
  /** Applies an event to what was read, or to what has become of it while its state stayed. */
  applyInState(stored: Stored, event: DelegationEvent): Promise<void>
  /**
   * Applies an event to what was read, or to nothing when it has been changed since.
   *
   * @returns whether it was applied
   */
  applyIfUnchanged(stored: Stored, event: DelegationEvent): Promise<boolean>
  /** Applies an event to the delegation of a participant, if there is one. */
  applyFor(key: ParticipantKey, event: DelegationEvent): Promise<void>
}

/** What is reported to the service, whoever is at work. */
const REPORTS: readonly DelegationEvent['type'][] = [
  'doubt',
  'joined',
  'left',
  'aborted',
  'room-finished',
]

function isDue(next: Delegation | undefined, now: number): boolean {
  return next !== undefined && dueAt(next) <= now
}

function noticeOf(event: DelegationEvent, { next, transition }: Step, now: number): Notice {
  // A report that leaves the state as it is must not keep a restart under way from counting.
  if (!REPORTS.includes(event.type) || transition !== undefined) {
    return isDue(next, now) ? 'wake' : 'quiet'
  }
  // Doubt concerns all at once: it can wait until workers look for themselves.
  return isDue(next, now) && event.type !== 'doubt' ? 'keep-lease-and-wake' : 'keep-lease'
}

/** Makes the one way by which stored delegations change. */
export function createChanges({ store, around, onTransition }: ChangeOptions): Changes {
  async function tryApply(stored: Stored, event: DelegationEvent): Promise<boolean> {
    const circumstances = around()
    const { delegation } = stored
    const step = advance(delegation, event, circumstances)
    const { next, transition } = step
    // Even a change to the same would end the lease of whoever is at work.
    if (next === delegation || JSON.stringify(next) === JSON.stringify(delegation)) return true
    const notice = noticeOf(event, step, circumstances.now)
    if (!(await store.replace(stored, next, notice))) return false
    if (transition !== undefined) onTransition(delegation, transition)
    return true
  }

  async function applyWhile(
    isMeant: (current: Delegation) => boolean,
    stored: Stored,
    event: DelegationEvent,
  ): Promise<void> {
    let current: Stored | undefined = stored
    while (current !== undefined && isMeant(current.delegation)) {
      if (await tryApply(current, event)) return
      current = await store.find(stored.delegation)
    }
  }

  return {
    // What has come in its place must not be touched by what it had under way.
    applyTo: (stored, event) =>
      applyWhile(({ generation }) => generation === stored.delegation.generation, stored, event),
    applyInState: (stored, event) =>
      applyWhile((current) => isSameStage(current, stored.delegation), stored, event),
    applyIfUnchanged: tryApply,
    async applyFor(key, event) {
      for (;;) {
        const stored = await store.find(key)
        if (stored === undefined || (await tryApply(stored, event))) return
      }
    },
  }
}
