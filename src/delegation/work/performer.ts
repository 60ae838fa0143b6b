import { lookUntil } from '../life/leaving.ts'
import { advance } from '../life/lifecycle.ts'
import type { Action, Circumstances } from '../life/moves.ts'
import { type Delegation, deadlineOf, isSameStage, type ParticipantKey } from '../life/record.ts'
import type { DelayedEventOutcome, DelegationSignal, PresenceSignal } from '../life/signals.ts'
import { shortestRetryMs, waitWithin } from '../life/timing.ts'
import type { DelegationStore, Stored } from '../store/store.ts'
import type { Changes } from './changes.ts'
import { CheckPace } from './check-pace.ts'
import { Leases } from './leases.ts'
import { ServerSlots, type Slot } from './server-slots.ts'

/** Requests to homeservers and to the SFU. They never throw: a failure is a signal too. */
export interface Effects {
  /** Asks the SFU whether the participant is connected. */
  checkPresence(delegation: Delegation, signal: AbortSignal): Promise<PresenceSignal>
  /** Restarts or sends the delayed event at the homeserver. */
  actOnEvent(
    delegation: Delegation,
    action: 'restart' | 'send',
    signal: AbortSignal,
  ): Promise<DelayedEventOutcome>
}

/** Options of {@link Performer}. */
export interface PerformerOptions {
  readonly store: DelegationStore
  readonly changes: Changes
  readonly effects: Effects
  readonly circumstances: () => Circumstances
  /** Slots for requests to homeservers. */
  readonly servers: ServerSlots
  /** How many requests to the SFU may be under way. */
  readonly presenceChecks: number
}

interface Running {
  readonly stored: Stored
  readonly abort: AbortController
}

function nameOf({ room, identity }: ParticipantKey): string {
  return JSON.stringify([room, identity])
}

/** The SFU client times out before this, so a later limit needs no timer. */
const MAX_CHECK_MS = 10_000
/** Enough for a healthy SFU. */
const MIN_CHECK_MS = 100

/** When to give an action up: a silent SFU must not delay a restart or a send. */
function latestFor(action: Action, delegation: Delegation): number {
  if (action !== 'check-presence') return Number.POSITIVE_INFINITY
  if (delegation.state === 'leaving') return lookUntil(delegation)
  return delegation.restartAt ?? Number.POSITIVE_INFINITY
}

function outcomeOf(signal: DelegationSignal): 'given-up' | 'failed' | 'answered' {
  if (signal.type === 'presence-unknown') return 'failed'
  return signal.type === 'attempt-failed' && !signal.answered ? 'failed' : 'answered'
}

/** Performs the due action of claimed delegations, and renews their leases meanwhile. */
export class Performer {
  readonly #options: PerformerOptions
  readonly #sfu: ServerSlots
  readonly #pace = new CheckPace()
  readonly #leases: Leases
  readonly #running = new Map<string, Running>()

  constructor(options: PerformerOptions) {
    this.#options = options
    this.#sfu = new ServerSlots(options.presenceChecks)
    this.#leases = new Leases(options.store, options.circumstances)
  }

  /** Performs the due action of one delegation. */
  async perform(stored: Stored): Promise<void> {
    const { store, changes, circumstances } = this.#options
    const { now } = circumstances()
    const { action } = advance(stored.delegation, { type: 'due' }, circumstances())
    if (action === undefined) return changes.applyTo(stored, { type: 'due' })
    const waitMs = action === 'check-presence' ? this.#paceMs(stored.delegation) : 0
    const putOffTo = Math.min(now + waitMs, deadlineOf(stored.delegation))
    if (waitMs > 0 && putOffTo > now) return store.postpone(stored, putOffTo)
    await this.#performInSlot(stored, action)
  }

  /** Only waiting delegations are paced: a client can create them without ever joining a call. */
  #paceMs({ state, generation, userId, serverName }: Delegation): number {
    if (state !== 'waiting') return 0
    const { now, random } = this.#options.circumstances()
    return this.#pace.waitMs(userId ?? serverName, generation, now, random)
  }

  /**
   * Aborts the action under way for a participant, if the delegation has changed state since.
   *
   * Promise: a webhook at any replica takes effect at once at the replica that works on the delegation.
   */
  async abortIfChanged(key: ParticipantKey): Promise<void> {
    const running = this.#running.get(nameOf(key))
    if (running === undefined) return
    const current = await this.#options.store.find(key)
    const { delegation } = running.stored
    if (current === undefined || !isSameStage(current.delegation, delegation)) running.abort.abort()
  }

  /** Aborts all actions and hands their delegations over to other workers. */
  async handOver(): Promise<void> {
    const { store } = this.#options
    const handedOver = [...this.#running.values()].map(({ stored, abort }) => {
      abort.abort()
      return this.#leases.release(stored.delegation)
    })
    await Promise.allSettled(handedOver)
    // If the wake fails, the others find them on their next poll.
    if (handedOver.length > 0) await Promise.allSettled([store.wakeAll()])
  }

  /** Renews the lease while the action waits for a slot and while it is under way. */
  async #performInSlot(stored: Stored, action: Action): Promise<void> {
    const name = nameOf(stored.delegation)
    const running: Running = { stored, abort: new AbortController() }
    this.#running.set(name, running)
    const stopRenewing = this.#leases.keep(stored)
    running.abort.signal.addEventListener('abort', stopRenewing)
    try {
      const servers = action === 'check-presence' ? this.#sfu : this.#options.servers
      const slot = await this.#slotFor(servers, stored, action)
      if (slot !== undefined) await this.#useSlot(servers, slot, running, action)
    } finally {
      stopRenewing()
      this.#forget(name, running)
    }
  }

  /** Returns `undefined` if no slot was free in time; the delegation is postponed then. */
  async #slotFor(servers: ServerSlots, stored: Stored, action: Action): Promise<Slot | undefined> {
    const { store, circumstances } = this.#options
    const { delegation } = stored
    const serverName = action === 'check-presence' ? 'SFU' : delegation.serverName
    const slot = servers.take(serverName, circumstances().now) ?? (await servers.wait(serverName))
    if (slot !== undefined) return slot
    const { now, random } = circumstances()
    const waitMs = servers.retryInMs(serverName, random)
    const at = now + waitWithin(deadlineOf(delegation) - now, waitMs, shortestRetryMs(delegation))
    await store.postpone(stored, Math.min(at, latestFor(action, delegation)))
    return undefined
  }

  async #useSlot(servers: ServerSlots, slot: Slot, running: Running, action: Action) {
    const { stored, abort } = running
    let standing: ReturnType<typeof outcomeOf> = 'given-up'
    try {
      if (abort.signal.aborted) return
      const outcome = await this.#act(stored.delegation, action, abort.signal)
      if (abort.signal.aborted) return
      this.#forget(nameOf(stored.delegation), running)
      standing = outcomeOf(outcome)
      await this.#apply(stored, outcome)
    } finally {
      servers.giveBack(slot, standing, this.#options.circumstances().now)
    }
  }

  /**
   * Stores the outcome of an action. What happened to the event is always true; a failure counts while
   * the state is the same; but presence only if nothing changed since, as the participant may have come.
   */
  async #apply(stored: Stored, signal: DelegationSignal): Promise<void> {
    const { changes } = this.#options
    if (['restarted', 'sent', 'event-gone'].includes(signal.type)) {
      return changes.applyTo(stored, signal)
    }
    if (['attempt-failed', 'client-api-unresolvable'].includes(signal.type)) {
      return changes.applyInState(stored, signal)
    }
    if (!(await changes.applyIfUnchanged(stored, signal))) await this.#leases.end(stored)
  }

  #forget(name: string, running: Running): void {
    if (this.#running.get(name) === running) this.#running.delete(name)
  }

  #act(delegation: Delegation, action: Action, signal: AbortSignal): Promise<DelegationSignal> {
    if (action === 'check-presence') return this.#checkPresence(delegation, signal)
    return this.#options.effects.actOnEvent(delegation, action, signal)
  }

  async #checkPresence(delegation: Delegation, outer: AbortSignal): Promise<DelegationSignal> {
    const { effects, circumstances } = this.#options
    const leftMs = latestFor('check-presence', delegation) - circumstances().now
    if (leftMs > MAX_CHECK_MS) return effects.checkPresence(delegation, outer)
    const signal = AbortSignal.any([outer, AbortSignal.timeout(Math.max(leftMs, MIN_CHECK_MS))])
    return effects.checkPresence(delegation, signal)
  }
}
