import type { Changes } from './changes.ts'
import { CheckPace } from './check-pace.ts'
import { type Delegation, deadlineOf, type ParticipantKey } from './delegation.ts'
import type { DelayedEventOutcome, DelegationEvent, PresenceEvent } from './events.ts'
import { advance } from './lifecycle.ts'
import { ServerSlots } from './server-slots.ts'
import { type Action, type Circumstances, waitWithin } from './steps.ts'
import { type DelegationStore, leaseMs, type Stored } from './store.ts'

/** What is done outside. The functions report failures as events and throw nothing. */
export interface Outside {
  /** Asks the SFU for a participant. */
  checkPresence(delegation: Delegation, signal: AbortSignal): Promise<PresenceEvent>
  /** Restarts or sends the delayed event at the homeserver. */
  actOnEvent(
    delegation: Delegation,
    action: 'restart' | 'send',
    signal: AbortSignal,
  ): Promise<DelayedEventOutcome>
}

/** What a performer is made of. */
export interface PerformerOptions {
  readonly store: DelegationStore
  readonly changes: Changes
  readonly outside: Outside
  readonly around: () => Circumstances
  /** Slots at homeservers. */
  readonly servers: ServerSlots
  /** How many questions to the SFU may be under way. */
  readonly presenceChecks: number
}

/** The longest lease: how long a delegation is out of reach when its worker dies. */
export const MAX_LEASE_MS = 10_000

interface Running {
  readonly stored: Stored
  readonly abort: AbortController
}

function nameOf({ room, identity }: ParticipantKey): string {
  return JSON.stringify([room, identity])
}

/** A check that takes longer than that is given up by itself. */
const MAX_CHECK_MS = 10_000
/** Enough for an SFU that is well. */
const MIN_CHECK_MS = 100

/** An SFU that does not answer must not keep an event from being restarted. */
function latestFor(action: Action, delegation: Delegation): number {
  const isCheck = action === 'check-presence' && delegation.state === 'connected'
  return isCheck ? delegation.restartAt : Number.POSITIVE_INFINITY
}

function outcomeOf(event: DelegationEvent | undefined) {
  if (event === undefined) return 'given-up'
  if (event.type === 'presence-unknown') return 'failed'
  return event.type === 'attempt-failed' && !event.answered ? 'failed' : 'answered'
}

/** Does what is due for delegations that were claimed, and keeps their leases meanwhile. */
export class Performer {
  readonly #options: PerformerOptions
  readonly #sfu: ServerSlots
  readonly #pace = new CheckPace()
  readonly #running = new Map<string, Running>()

  constructor(options: PerformerOptions) {
    this.#options = options
    this.#sfu = new ServerSlots(options.presenceChecks)
  }

  /** Does what is due for one delegation. */
  async perform(stored: Stored): Promise<void> {
    const { store, changes, around } = this.#options
    const { now } = around()
    const { action } = advance(stored.delegation, { type: 'due' }, around())
    if (action === undefined) return changes.applyTo(stored, { type: 'due' })
    const waitMs = this.#paceMs(stored.delegation)
    if (waitMs > 0) return store.postpone(stored, now + waitMs)
    await this.#performInSlot(stored, action)
  }

  /** Whoever is expected can be asked about again and again, by whoever has been delegated for. */
  #paceMs({ state, generation, userId, serverName }: Delegation): number {
    if (state !== 'waiting') return 0
    const { now, random } = this.#options.around()
    return this.#pace.waitMs(userId ?? serverName, generation, now, random)
  }

  /** Gives up what is under way for a participant, if it was decided on what has changed since. */
  async abortIfChanged(key: ParticipantKey): Promise<void> {
    const running = this.#running.get(nameOf(key))
    if (running === undefined) return
    const current = await this.#options.store.find(key)
    if (current?.text !== running.stored.text) running.abort.abort()
  }

  /** Gives up everything that is under way, and leaves it to other workers. */
  async handOver(): Promise<void> {
    const { store } = this.#options
    const handedOver = [...this.#running.values()].map(({ stored, abort }) => {
      abort.abort()
      return this.#release(stored.delegation)
    })
    await Promise.allSettled(handedOver)
    // Others find out by themselves where they cannot be told.
    if (handedOver.length > 0) await Promise.allSettled([store.wakeAll()])
  }

  /** Ends the lease of a delegation, whatever has become of it meanwhile. */
  async #release(delegation: Delegation): Promise<void> {
    const { store, around } = this.#options
    let current = await store.find(delegation)
    while (current?.delegation.generation === delegation.generation) {
      await store.postpone(current, around().now)
      const after = await store.find(delegation)
      if (after?.text === current.text) return
      current = after
    }
  }

  async #performInSlot(stored: Stored, action: Action): Promise<void> {
    const { store, around } = this.#options
    const { delegation } = stored
    const isCheck = action === 'check-presence'
    const servers = isCheck ? this.#sfu : this.#options.servers
    const serverName = isCheck ? 'SFU' : delegation.serverName
    const { now, random } = around()
    const slot = servers.take(serverName, now)
    if (slot === undefined) {
      const waitMs = servers.retryInMs(serverName, random)
      const at = now + waitWithin(deadlineOf(delegation) - now, waitMs)
      return store.postpone(stored, Math.min(at, latestFor(action, delegation)))
    }
    let outcome: ReturnType<typeof outcomeOf> = 'given-up'
    try {
      outcome = outcomeOf(await this.#performAction(stored, action))
    } finally {
      servers.giveBack(slot, outcome, around().now)
    }
  }

  /** Gives what came of it, or `undefined` when it was given up. */
  async #performAction(stored: Stored, action: Action): Promise<DelegationEvent | undefined> {
    const name = nameOf(stored.delegation)
    const running: Running = { stored, abort: new AbortController() }
    this.#running.set(name, running)
    const stopRenewing = this.#keepLease(stored)
    running.abort.signal.addEventListener('abort', stopRenewing)
    try {
      const event = await this.#act(stored.delegation, action, running.abort.signal)
      if (running.abort.signal.aborted) return undefined
      this.#forget(name, running)
      await this.#apply(stored, event)
      return event
    } finally {
      stopRenewing()
      this.#forget(name, running)
    }
  }

  /**
   * What happened to the event stays true, but who was absent then may have come since, and a
   * failure is of no interest to what is to be done now.
   */
  #apply(stored: Stored, event: DelegationEvent): Promise<void> {
    const { changes } = this.#options
    const isLasting = ['restarted', 'sent', 'event-gone'].includes(event.type)
    return isLasting ? changes.applyTo(stored, event) : changes.applyIfUnchanged(stored, event)
  }

  #forget(name: string, running: Running): void {
    if (this.#running.get(name) === running) this.#running.delete(name)
  }

  #act(delegation: Delegation, action: Action, signal: AbortSignal): Promise<DelegationEvent> {
    if (action === 'check-presence') return this.#checkPresence(delegation, signal)
    return this.#options.outside.actOnEvent(delegation, action, signal)
  }

  async #checkPresence(delegation: Delegation, outer: AbortSignal): Promise<DelegationEvent> {
    const { outside, around } = this.#options
    const leftMs = latestFor('check-presence', delegation) - around().now
    if (leftMs > MAX_CHECK_MS) return outside.checkPresence(delegation, outer)
    const signal = AbortSignal.any([outer, AbortSignal.timeout(Math.max(leftMs, MIN_CHECK_MS))])
    return outside.checkPresence(delegation, signal)
  }

  #keepLease(stored: Stored): () => void {
    const { store, around } = this.#options
    const lease = leaseMs(stored.delegation.delayMs, MAX_LEASE_MS)
    const timer = setInterval(() => {
      store.postpone(stored, around().now + lease).catch(() => {
        // The lease runs out, and somebody else may act as well: no harm but a request too many.
      })
    }, lease / 2)
    return () => clearInterval(timer)
  }
}
