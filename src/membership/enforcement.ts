import type { ParticipantKey } from '../delegation/life/record.ts'
import { StoreUnavailable } from '../delegation/store/store.ts'
import { DeadlineExceeded, withDeadline } from '../lib/deadline.ts'
import type { RoomEnforcer } from './room-enforcer.ts'
import type { AdmissionStore } from './store/admissions.ts'

/** Options of {@link Enforcement}. */
export interface EnforcementOptions {
  readonly store: AdmissionStore
  readonly enforcer: RoomEnforcer
  readonly intervalMs: number
  /** How many Matrix rooms may be checked at a time. */
  readonly maxRunning: number
  /** Milliseconds since the epoch, the same in all replicas. */
  readonly now: () => number
  readonly onBug: (error: unknown) => void
}

/** A check has ended by then, or another worker repeats it. */
const LEASE_MS = 10_000
const MAX_CLAIM = 64
const MIN_PAUSE_MS = 5
const MAX_PAUSE_MS = 1_000
const STORE_RETRY_MS = 500
/** Pause between two checks of one room, however many join it. */
const JOIN_PACE_MS = 200
const FIRST_RETRY_MS = 1_000

/**
 * Has the members of every Matrix room checked at each interval, and at once when somebody joins; every
 * replica runs one, and they share the rooms.
 *
 * Promise: who is no longer a member is off the SFU within one interval and 2 s.
 */
export class Enforcement {
  readonly #options: EnforcementOptions
  readonly #running = new Map<string, Promise<void>>()
  /** Rooms that somebody joined while they were being checked. */
  readonly #again = new Set<string>()
  /** Failed removals in a row, by Matrix room. */
  readonly #failures = new Map<string, number>()
  readonly #stopped = new AbortController()
  #woken = Promise.withResolvers<void>()
  #loop: Promise<void> | undefined

  constructor(options: EnforcementOptions) {
    this.#options = options
  }

  start(): void {
    this.#loop = this.#run()
  }

  /** Gives up what is under way; other replicas take it over when the leases run out. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#woken.resolve()
    await this.#loop
    await Promise.allSettled(this.#running.values())
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
    if (this.#running.has(matrixRoom)) {
      this.#again.add(matrixRoom)
      return
    }
    const leaseUntil = now() + LEASE_MS
    await store.claim(matrixRoom, leaseUntil)
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
    const { store, maxRunning, now } = this.#options
    const limit = Math.min(maxRunning - this.#running.size, MAX_CLAIM)
    if (limit <= 0) return MAX_PAUSE_MS
    try {
      const leaseUntil = now() + LEASE_MS
      const { rooms, nextDueAt } = await store.claimDue(now(), limit, leaseUntil)
      for (const matrixRoom of rooms) this.#begin(matrixRoom, leaseUntil)
      if (rooms.length === limit) return MIN_PAUSE_MS
      const untilNextMs = (nextDueAt ?? Number.POSITIVE_INFINITY) - now()
      return Math.min(Math.max(untilNextMs, MIN_PAUSE_MS), MAX_PAUSE_MS)
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) this.#options.onBug(error)
      return STORE_RETRY_MS
    }
  }

  #begin(matrixRoom: string, leaseUntil: number): void {
    if (this.#running.has(matrixRoom) || this.#stopped.signal.aborted) return
    const work = this.#check(matrixRoom, leaseUntil)
      .catch((error: unknown) => {
        // Due again when the lease runs out.
        if (!(error instanceof StoreUnavailable) && !this.#stopped.signal.aborted) {
          this.#options.onBug(error)
        }
      })
      .finally(() => {
        this.#running.delete(matrixRoom)
        if (this.#again.delete(matrixRoom)) this.#begin(matrixRoom, leaseUntil)
        else if (this.#running.size >= this.#options.maxRunning - 1) this.#woken.resolve()
      })
    this.#running.set(matrixRoom, work)
  }

  async #check(matrixRoom: string, leaseUntil: number): Promise<void> {
    const { store, enforcer, intervalMs, now } = this.#options
    const startedAt = now()
    const isDone = await withDeadline(LEASE_MS, this.#stopped.signal, (signal) => {
      return enforcer.enforce(matrixRoom, signal)
    }).catch((error: unknown) => {
      if (error instanceof DeadlineExceeded) return false
      throw error
    })
    const waitMs = isDone ? intervalMs : this.#retryMs(matrixRoom)
    if (isDone) this.#failures.delete(matrixRoom)
    await store.reschedule(matrixRoom, leaseUntil, startedAt + waitMs)
    if (this.#again.has(matrixRoom)) await Bun.sleep(JOIN_PACE_MS)
  }

  #retryMs(matrixRoom: string): number {
    const failures = this.#failures.get(matrixRoom) ?? 0
    this.#failures.set(matrixRoom, failures + 1)
    return Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures, 10), this.#options.intervalMs)
  }
}
