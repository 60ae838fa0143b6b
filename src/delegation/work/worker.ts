import type { Trouble } from '../../trouble.ts'
import type { Circumstances } from '../life/moves.ts'
import type { ParticipantKey } from '../life/record.ts'
import {
  type DelegationStore,
  type Mended,
  type StoreCode,
  type Stored,
  StoreUnavailable,
} from '../store/store.ts'
import type { Changes } from './changes.ts'
import { MAX_LEASE_MS } from './leases.ts'
import type { Performer } from './performer.ts'
import { Rechecks } from './rechecks.ts'
import type { Standby } from './standby.ts'
import type { StoreHealth } from './store-health.ts'

/** Options of {@link Worker}. */
export interface WorkerOptions {
  readonly store: DelegationStore
  readonly changes: Changes
  readonly performer: Performer
  /** How many delegations may be worked on at a time. */
  readonly maxRunning: number
  readonly circumstances: () => Circumstances
  readonly health: StoreHealth
  readonly standby: Standby
  /** Called with the time of the store's clock, in milliseconds since the epoch. */
  readonly onTime: (time: number) => void
  /** Called when the store has been mended or refilled. */
  readonly onMended: (mended: Mended | { readonly restored: number }) => void
  /** Called when the store goes away, and when it is back. */
  readonly onTrouble: (message: string, trouble: Trouble<StoreCode> | undefined) => void
  /** Called with an error that should never happen. */
  readonly onBug: (error: unknown) => void
}

const MAX_CLAIM = 128
const MIN_PAUSE_MS = 5
const MAX_PAUSE_MS = 500
const STORE_RETRY_MS = 500
const HEARTBEAT_MS = 1_000
const STOP_LIMIT_MS = 1_000

/** Claims due delegations and has their actions performed; every replica runs one worker. */
export class Worker {
  readonly #options: WorkerOptions
  readonly #rechecks: Rechecks
  readonly #running = new Set<Promise<void>>()
  #stopped = false
  #storeAway = false
  /** More may be due than was claimed. */
  #busy = false
  /** Nothing can be claimed until an action ends. */
  #full = false
  #beatAt = Number.NEGATIVE_INFINITY
  /** The store may have lost records that memory has. */
  #mustRefill = false
  /** Wakes that came during a claim, whose result may be outdated for them. */
  #wokenKeys: ParticipantKey[] = []
  #woken = Promise.withResolvers<void>()
  #loop: Promise<void> | undefined
  #stopListening = () => {}
  #turnedAt = Number.NEGATIVE_INFINITY
  #replicas = 1

  constructor(options: WorkerOptions) {
    this.#options = options
    this.#rechecks = new Rechecks({
      ...options,
      onBatch: () => this.#woken.resolve(),
      isBusy: () => this.#busy || this.#full,
      onBug: (error) => this.reportBug(error),
    })
  }

  /** How many replicas use the store, and when the last round began, in milliseconds since the epoch. */
  get status(): { readonly replicas: number; readonly turnedAt: number } {
    return { replicas: this.#replicas, turnedAt: this.#turnedAt }
  }

  start(): void {
    this.#stopListening = this.#options.store.onWake((key) => this.#onWake(key))
    this.#options.standby.start()
    this.#loop = this.#run()
  }

  /** A webhook could not be applied: recheck everybody once the store is back. */
  noteMissedWebhook(): void {
    this.#rechecks.request()
  }

  /** Stops, and hands what is under way over to other workers. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#rechecks.stop()
    this.#options.standby.stop()
    this.#stopListening()
    this.#woken.resolve()
    await this.#loop
    await this.#options.performer.handOver()
    // Answers that have already arrived are still stored.
    await Promise.race([Promise.all(this.#running), Bun.sleep(STOP_LIMIT_MS)])
  }

  #onWake(key: ParticipantKey | undefined): void {
    this.#woken.resolve()
    if (key === undefined) return
    this.#wokenKeys.push(key)
    this.#abortIfChanged(key)
  }

  #abortIfChanged(key: ParticipantKey): void {
    this.#options.performer.abortIfChanged(key).catch((error: unknown) => {
      if (!(error instanceof StoreUnavailable)) this.reportBug(error)
    })
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const pauseMs = await this.#round()
      if (pauseMs > 0) await this.#pause(pauseMs)
    }
  }

  async #pause(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#woken.resolve(), ms)
    await this.#woken.promise
    clearTimeout(timer)
    this.#woken = Promise.withResolvers()
  }

  /** Does one round; returns how long to pause after it, in milliseconds. */
  async #round(): Promise<number> {
    const { health } = this.#options
    this.#turnedAt = this.#options.circumstances().now
    try {
      await this.#beat()
      const pauseMs = await this.#claim()
      health.answered()
      this.#noteBack()
      return pauseMs
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) this.reportBug(error)
      else if (!this.#storeAway) this.#options.onTrouble('the state store is away', error.trouble)
      this.#storeAway = true
      health.failed()
      return STORE_RETRY_MS
    }
  }

  #noteBack(): void {
    if (!this.#storeAway) return
    this.#storeAway = false
    this.#options.onTrouble('the state store is back', undefined)
    // Every replica may have refused webhooks meanwhile.
    this.#rechecks.request()
    this.#rechecks.startIfDue()
  }

  /** Sends a heartbeat to the store, and refills or mends it if needed. */
  async #beat(): Promise<void> {
    const { store, standby, circumstances, onTime, onMended } = this.#options
    const { now } = circumstances()
    if (Math.abs(now - this.#beatAt) < HEARTBEAT_MS) return
    const { time, hasKeptData, needsMending, replicas = 1 } = await store.heartbeat()
    this.#replicas = replicas
    if (time !== undefined) onTime(time)
    if (!hasKeptData) this.#mustRefill = true
    const restored = await standby.settle(!this.#mustRefill)
    if (this.#mustRefill) {
      onMended({ restored })
      this.#rechecks.request()
    }
    this.#mustRefill = false
    if (needsMending) onMended(await store.mend())
    this.#beatAt = circumstances().now
    this.#rechecks.startIfDue()
  }

  async #claim(): Promise<number> {
    const { store, circumstances, maxRunning } = this.#options
    const limit = Math.min(maxRunning - this.#running.size, MAX_CLAIM)
    this.#full = limit <= 0
    if (this.#full) return MAX_PAUSE_MS
    this.#wokenKeys = []
    const { claimed, nextDueAt } = await store.claimDue(circumstances().now, limit, MAX_LEASE_MS)
    for (const stored of claimed) this.#begin(stored)
    for (const key of this.#wokenKeys) this.#abortIfChanged(key)
    this.#busy = claimed.length === limit
    if (this.#busy || nextDueAt === undefined) return this.#busy ? MIN_PAUSE_MS : MAX_PAUSE_MS
    return Math.min(Math.max(nextDueAt - circumstances().now, MIN_PAUSE_MS), MAX_PAUSE_MS)
  }

  #begin(stored: Stored): void {
    const work = this.#options.performer
      .perform(stored)
      .catch((error: unknown) => {
        // It is due again when its lease runs out.
        if (!(error instanceof StoreUnavailable)) this.reportBug(error)
      })
      .finally(() => {
        this.#running.delete(work)
        if (this.#full) this.#woken.resolve()
      })
    this.#running.add(work)
  }

  /** Logs an error that should never happen. */
  reportBug(error: unknown): void {
    this.#options.onBug(error)
  }
}
