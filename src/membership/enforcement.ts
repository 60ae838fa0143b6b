import type { ParticipantKey } from '../delegation/life/record.ts'
import { StoreUnavailable } from '../delegation/store/store.ts'
import { DeadlineExceeded, withDeadline } from '../lib/deadline.ts'
import { keepLease, newLease } from './lease.ts'
import { Rests } from './rests.ts'
import type { RoomEnforcer } from './room-enforcer.ts'
import type { AdmissionStore } from './store/admissions.ts'

/** Options of {@link Enforcement}. */
export interface EnforcementOptions {
  readonly store: AdmissionStore
  /** Writes back to the store what it has lost; throws {@link StoreUnavailable}. */
  readonly refill: () => Promise<void>
  readonly enforcer: RoomEnforcer
  readonly intervalMs: number
  /** How many Matrix rooms may be checked at a time. */
  readonly maxRunning: number
  /** Milliseconds since the epoch, the same in all replicas. */
  readonly now: () => number
  readonly onBug: (error: unknown) => void
}

const CHECK_LIMIT_MS = 10_000
const MAX_CLAIM = 64
const MIN_PAUSE_MS = 5
const MAX_PAUSE_MS = 1_000
const STORE_RETRY_MS = 500
const FIRST_RETRY_MS = 1_000
/** No lease ends then, so that a check is only brought forward. */
const NO_LEASE = 0

/**
 * Has the members of every Matrix room checked at each interval, and at once when somebody joins; every
 * replica runs one, and they share the rooms.
 *
 * Promise: who is no longer a member is off the SFU within one interval and 2 s.
 */
export class Enforcement {
  readonly #options: EnforcementOptions
  readonly #running = new Map<string, Promise<void>>()
  readonly #rests = new Rests((matrixRoom) => {
    this.#checkSoon(matrixRoom).catch((error: unknown) => this.#report(error))
  })
  /** Failed removals in a row, by Matrix room. */
  readonly #failures = new Map<string, number>()
  readonly #stopped = new AbortController()
  #mustRefill = false
  #woken = Promise.withResolvers<void>()
  #loop: Promise<void> | undefined

  constructor(options: EnforcementOptions) {
    this.#options = options
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** Gives up what is under way, and leaves it to other replicas. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#rests.stop()
    this.#woken.resolve()
    await this.#loop
    await Promise.allSettled(this.#running.values())
  }

  /** The store came back without its data, or with older data. */
  noteDataLost(): void {
    this.#mustRefill = true
    this.#woken.resolve()
  }

  /**
   * Has the room of a participant checked who has just connected.
   *
   * @throws {StoreUnavailable} when the store is away
   */
  async noteJoined(key: ParticipantKey): Promise<void> {
    const { store, enforcer, now } = this.#options
    const matrixRoom = await store.matrixRoomOf(key, now())
    if (matrixRoom === undefined) return
    enforcer.noteConnected(key)
    const mustWait = this.#running.has(matrixRoom) || this.#rests.has(matrixRoom)
    if (mustWait) this.#rests.noteJoined(matrixRoom)
    else await this.#checkSoon(matrixRoom)
  }

  /** Begins a check, or makes it due where too many are under way. */
  async #checkSoon(matrixRoom: string): Promise<void> {
    const { store, maxRunning, now } = this.#options
    if (this.#running.size < maxRunning) return this.#checkNow(matrixRoom)
    await store.reschedule(matrixRoom, NO_LEASE, now())
  }

  async #checkNow(matrixRoom: string): Promise<void> {
    const leaseUntil = newLease(this.#options.now())
    await this.#options.store.claim(matrixRoom, leaseUntil)
    this.#begin(matrixRoom, leaseUntil)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      const timer = setTimeout(() => this.#woken.resolve(), await this.#claim())
      await this.#woken.promise
      clearTimeout(timer)
      this.#woken = Promise.withResolvers()
      if (signal.aborted) return
    }
  }

  /** Begins the checks that are due; returns how long to pause then, in milliseconds. */
  async #claim(): Promise<number> {
    const { store, maxRunning, intervalMs, now } = this.#options
    const limit = Math.min(maxRunning - this.#running.size, MAX_CLAIM)
    const maxPauseMs = Math.min(MAX_PAUSE_MS, intervalMs)
    try {
      await this.#refill()
      if (limit <= 0) return maxPauseMs
      const leaseUntil = newLease(now())
      const { rooms, nextDueAt } = await store.claimDue(now(), limit, leaseUntil)
      for (const matrixRoom of rooms) this.#begin(matrixRoom, leaseUntil)
      if (rooms.length === limit) return MIN_PAUSE_MS
      const untilNextMs = (nextDueAt ?? Number.POSITIVE_INFINITY) - now()
      return Math.min(Math.max(untilNextMs, MIN_PAUSE_MS), maxPauseMs)
    } catch (error) {
      this.#report(error)
      return STORE_RETRY_MS
    }
  }

  async #refill(): Promise<void> {
    if (!this.#mustRefill) return
    this.#mustRefill = false
    try {
      await this.#options.refill()
    } catch (error) {
      this.#mustRefill = true
      throw error
    }
  }

  #begin(matrixRoom: string, leaseUntil: number): void {
    const { maxRunning } = this.#options
    if (this.#running.has(matrixRoom) || this.#stopped.signal.aborted) return
    const work = this.#check(matrixRoom, leaseUntil)
      // Due again when the lease runs out.
      .catch((error: unknown) => this.#report(error))
      .finally(() => {
        this.#running.delete(matrixRoom)
        if (this.#stopped.signal.aborted) return
        this.#rests.begin(matrixRoom)
        if (this.#running.size >= maxRunning - 1) this.#woken.resolve()
      })
    this.#running.set(matrixRoom, work)
  }

  async #check(matrixRoom: string, leaseUntil: number): Promise<void> {
    const { store, now, onBug } = this.#options
    const startedAt = now()
    const lease = keepLease(store, matrixRoom, leaseUntil, now, onBug)
    const waitMs = await this.#enforce(matrixRoom)
    await store.reschedule(matrixRoom, lease.release(), startedAt + waitMs)
  }

  /** Returns how long to wait before the next check of the room, in milliseconds. */
  async #enforce(matrixRoom: string): Promise<number> {
    const { enforcer, intervalMs } = this.#options
    const { signal } = this.#stopped
    try {
      const isDone = await withDeadline(CHECK_LIMIT_MS, signal, (inner) => {
        return enforcer.enforce(matrixRoom, inner)
      })
      if (!isDone) return this.#retryMs(matrixRoom)
      this.#failures.delete(matrixRoom)
      return intervalMs
    } catch (error) {
      // At once by another replica.
      if (signal.aborted) return 0
      if (!(error instanceof DeadlineExceeded)) this.#report(error)
      return this.#retryMs(matrixRoom)
    }
  }

  #retryMs(matrixRoom: string): number {
    const failures = this.#failures.get(matrixRoom) ?? 0
    this.#failures.set(matrixRoom, failures + 1)
    return Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, 10), this.#options.intervalMs)
  }

  #report(error: unknown): void {
    if (!(error instanceof StoreUnavailable)) this.#options.onBug(error)
  }
}
