import { advance } from '../life/lifecycle.ts'
import type { Circumstances } from '../life/moves.ts'
import { type Delegation, dueAt } from '../life/record.ts'
import type { DelegationSignal } from '../life/signals.ts'
import type { DelegationStore } from '../store/store.ts'
import type { Changes } from './changes.ts'
import type { Memory } from './memory.ts'
import type { Effects } from './performer.ts'
import type { ServerSlots } from './server-slots.ts'
import type { StoreHealth } from './store-health.ts'

/** Options of {@link Standby}. */
export interface StandbyOptions {
  readonly store: DelegationStore
  readonly changes: Changes
  readonly memory: Memory
  readonly health: StoreHealth
  readonly effects: Effects
  readonly circumstances: () => Circumstances
  /** Slots for requests to homeservers. */
  readonly servers: ServerSlots
  readonly onBug: (error: unknown) => void
}

const LOOK_EVERY_MS = 100
const FORGET_EVERY_MS = 60_000
const BATCH = 64

/**
 * Restarts events from memory while the store is away.
 *
 * Promise: while the store is away, each replica goes on restarting from memory the events that it has
 * worked on. It asks the SFU before each restart, sends nothing, and stops at the deadline. Stale memory
 * causes one restart too many at worst. When the store is back, its record decides.
 */
export class Standby {
  readonly #options: StandbyOptions
  readonly #running = new Set<string>()
  readonly #stopped = new AbortController()
  #timer: ReturnType<typeof setInterval> | undefined
  #forgotAt = Number.NEGATIVE_INFINITY

  constructor(options: StandbyOptions) {
    this.#options = options
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stopped.abort()
  }

  /** Performs due actions, if the store is away. */
  look(): void {
    const { memory, health, circumstances, onBug } = this.#options
    const { now } = circumstances()
    if (Math.abs(now - this.#forgotAt) > FORGET_EVERY_MS) {
      memory.forgetOver(now)
      this.#forgotAt = now
    }
    if (!health.isAway()) return
    for (const delegation of memory.all()) {
      const { generation, state } = delegation
      if (state === 'leaving' || dueAt(delegation) > now || this.#running.has(generation)) continue
      this.#running.add(generation)
      this.#perform(delegation)
        .catch(onBug)
        .finally(() => this.#running.delete(generation))
    }
  }

  /**
   * Writes to the returned store what was done from memory.
   *
   * Promise: a store that comes back empty or older is refilled from memory.
   *
   * @param hasKeptData - false if the store may have lost records
   * @returns how many delegations were restored
   * @throws {StoreUnavailable} when the store goes away again
   */
  async settle(hasKeptData: boolean): Promise<number> {
    const restored = hasKeptData ? 0 : await this.#refill()
    for (const delegation of this.#options.memory.unsaved) await this.#putDown(delegation)
    return restored
  }

  async #putDown(delegation: Delegation): Promise<void> {
    const { store, changes, memory } = this.#options
    const { generation, deadlineAt, delayMs } = delegation
    const stored = await store.find(delegation)
    // Missing or replaced: the delegation has ended meanwhile.
    if (stored?.delegation.generation !== generation) return memory.forget(delegation)
    memory.remember(stored.delegation)
    if (deadlineAt <= stored.delegation.deadlineAt) return
    await changes.applyTo(stored, { type: 'restarted', at: deadlineAt - delayMs })
  }

  async #refill(): Promise<number> {
    const { store, memory, circumstances } = this.#options
    const { now } = circumstances()
    const remembered = [...memory.all()].filter(({ deadlineAt }) => deadlineAt > now)
    let restored = 0
    for (let i = 0; i < remembered.length; i += BATCH) {
      const batch = remembered.slice(i, i + BATCH).map((delegation) => {
        return store.restore(
          advance(delegation, { type: 'doubt' }, circumstances()).next ?? delegation,
        )
      })
      restored += (await Promise.all(batch)).filter(Boolean).length
    }
    return restored
  }

  /** Memory knows this replica's own restarts, so a passed deadline is final here. */
  #circumstances(): Circumstances {
    return { ...this.#options.circumstances(), storeWasAway: false }
  }

  async #perform(delegation: Delegation): Promise<void> {
    const { action, next } = advance(delegation, { type: 'due' }, this.#circumstances())
    if (action === undefined) return this.#keep(delegation, next)
    const after = await this.#checkPresence(delegation)
    // A participant found absent once may be reconnecting, so the event is restarted all the same.
    if (action === 'restart' && after !== undefined && after.state !== 'leaving') {
      await this.#restart(after)
    }
  }

  async #checkPresence(delegation: Delegation): Promise<Delegation | undefined> {
    const { effects } = this.#options
    const presence = await effects.checkPresence(delegation, this.#stopped.signal)
    return this.#note(delegation, presence)
  }

  async #restart(delegation: Delegation): Promise<void> {
    const { effects, circumstances, servers } = this.#options
    const slot = servers.take(delegation.serverName, circumstances().now)
    if (slot === undefined) return
    let isAnswered = false
    try {
      const outcome = await effects.actOnEvent(delegation, 'restart', this.#stopped.signal)
      isAnswered = outcome.type !== 'attempt-failed' || outcome.answered
      this.#note(delegation, outcome)
    } finally {
      servers.giveBack(slot, isAnswered ? 'answered' : 'failed', circumstances().now)
    }
  }

  /** Returns the delegation after the signal, or `undefined` if it has ended or was replaced. */
  #note(delegation: Delegation, signal: DelegationSignal): Delegation | undefined {
    const current = this.#options.memory.find(delegation)
    if (current?.generation !== delegation.generation) return undefined
    const { next } = advance(current, signal, this.#circumstances())
    this.#keep(current, next)
    return next
  }

  #keep(delegation: Delegation, next: Delegation | undefined): void {
    if (next === undefined) this.#options.memory.forget(delegation)
    else this.#options.memory.rememberUnsaved(next)
  }
}
