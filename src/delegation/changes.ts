import type { Delegation, ParticipantKey } from './delegation.ts'
import { dueAt } from './delegation.ts'
import type { DelegationEvent } from './events.ts'
import { advance } from './lifecycle.ts'
import type { Circumstances, Transition } from './steps.ts'
import type { DelegationStore, Notice, Stored } from './store.ts'

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
  /** Applies an event to what was read, or to nothing when it has been changed since. */
  applyIfUnchanged(stored: Stored, event: DelegationEvent): Promise<void>
  /** Applies an event to the delegation of a participant, if there is one. */
  applyFor(key: ParticipantKey, event: DelegationEvent): Promise<void>
}

function noticeOf(event: DelegationEvent, next: Delegation | undefined, now: number): Notice {
  // Doubt concerns all at once: it can wait until workers look for themselves, or have ended.
  if (event.type === 'doubt') return 'keep-lease'
  return next !== undefined && dueAt(next) <= now ? 'wake' : 'quiet'
}

/** Makes the one way by which stored delegations change. */
export function createChanges({ store, around, onTransition }: ChangeOptions): Changes {
  async function tryApply(stored: Stored, event: DelegationEvent): Promise<boolean> {
    const circumstances = around()
    const { delegation } = stored
    const { next, transition } = advance(delegation, event, circumstances)
    // Even a change to the same would end the lease of whoever is at work.
    if (next === delegation || JSON.stringify(next) === JSON.stringify(delegation)) return true
    const notice = noticeOf(event, next, circumstances.now)
    if (!(await store.replace(stored, next, notice))) return false
    if (transition !== undefined) onTransition(delegation, transition)
    return true
  }

  async function applyTo(stored: Stored, event: DelegationEvent): Promise<void> {
    const { generation } = stored.delegation
    let current: Stored | undefined = stored
    // What has come in its place must not be touched by what it had under way.
    while (current?.delegation.generation === generation) {
      if (await tryApply(current, event)) return
      current = await store.find(stored.delegation)
    }
  }

  return {
    applyTo,
    async applyIfUnchanged(stored, event) {
      await tryApply(stored, event)
    },
    async applyFor(key, event) {
      for (;;) {
        const stored = await store.find(key)
        if (stored === undefined || (await tryApply(stored, event))) return
      }
    },
  }
}
