import type { Trouble } from '../../trouble.ts'
import type { Delegation, ParticipantKey } from '../life/record.ts'

/** Called when something is due now. */
export type WakeListener = (key: ParticipantKey | undefined) => void

/** A set of wake listeners. */
export class WakeListeners {
  readonly #listeners = new Set<WakeListener>()

  /** @returns a function that removes the listener */
  add(listener: WakeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(key: ParticipantKey | undefined): void {
    for (const listener of this.#listeners) listener(key)
  }
}

/** A delegation as it was read from the store. */
export interface Stored {
  readonly delegation: Delegation
  /** Stored text, for compare-and-swap: a change has no effect if the text has changed since. */
  readonly text: string
}

/** The result of a claim. */
export interface Claim {
  readonly claimed: readonly Stored[]
  /** When the next delegation is due, or a lease runs out; `undefined` when there is none. */
  readonly nextDueAt: number | undefined
}

/** Why the store is of no use. */
export type StoreCode =
  | 'store.redis-unreachable'
  | 'store.redis-silent'
  | 'store.redis-tls'
  | 'store.redis-password'
  | 'store.redis-database'
  | 'store.redis-rights'
  | 'store.redis-full'
  | 'store.redis-not-primary'
  | 'store.redis-refused'
  | 'store.redis-newer-version'
  | 'store.file-unusable'
  | 'store.file-no-database'
  | 'store.file-newer-version'
  | 'store.file-failed'

/** The store cannot be reached, refuses, or does not answer. */
export class StoreUnavailable extends Error {
  readonly code = 'store-unavailable'
  readonly trouble: Trouble<StoreCode>

  constructor(code: StoreCode, found: string) {
    super(`state store: ${found}`)
    this.name = 'StoreUnavailable'
    this.trouble = { code, found }
  }
}

/**
 * Whether a change wakes workers or waits for their next poll, and whether it keeps a running lease,
 * so that no second worker acts in parallel.
 */
export type Notice = 'wake' | 'quiet' | 'keep-lease' | 'keep-lease-and-wake'

/** Whether a change keeps a running lease. */
export function keepsLease(notice: Notice): boolean {
  return notice.startsWith('keep-lease')
}

/** Whether a change wakes workers. */
export function wakes(notice: Notice): boolean {
  return notice.endsWith('wake')
}

/** Limits on concurrent delegations. */
export interface Bounds {
  readonly perUser: number
  /** For all users of a server together; `undefined` for no limit. */
  readonly perServer: number | undefined
}

/** Result of storing a new delegation; `…-full` when its user or server has too many already. */
export type PutOutcome = 'stored' | 'user-full' | 'server-full'

/** A store's answer to a heartbeat. */
export interface Heartbeat {
  /** The store's clock in milliseconds since the epoch, if replicas share it. */
  readonly time: number | undefined
  /** False when the store may lack what it held before: it came back empty, or older. */
  readonly hasKeptData: boolean
  /** Whether {@link DelegationStore.mend} should be called. */
  readonly needsMending: boolean
  /** How many replicas use the store, if several can. */
  readonly replicas?: number
}

/** What a store holds, for metrics. Times are milliseconds since the epoch. */
export interface Survey {
  readonly total: number
  /** How many are due, or overdue. */
  readonly due: number
  /** When the one that is due first became due, or will be; `undefined` if there is none. */
  readonly firstDueAt: number | undefined
  /** How many are in each state; beyond some hundreds estimated from a sample. */
  readonly byState: Readonly<Record<Delegation['state'], number>>
}

/** Counts of what {@link DelegationStore.mend} repaired. */
export interface Mended {
  /** Delegations that were missing in an index. */
  readonly indexed: number
  /** Entries of lk-jwt-service that were taken over. */
  readonly adopted: number
  /** Unreadable records that were removed. */
  readonly removed: number
}

/**
 * Holds delegations, one for each participant, for one process or for several replicas. Times are
 * milliseconds since the epoch. Every method throws {@link StoreUnavailable} when the store is away.
 */
export interface DelegationStore {
  /**
   * Stores a new delegation, which replaces an earlier one of the participant. Replacing one of the same
   * user is always allowed.
   *
   * @param bounds - none if omitted
   */
  put(delegation: Delegation, bounds?: Bounds): Promise<PutOutcome>

  find(key: ParticipantKey): Promise<Stored | undefined>

  findInRoom(room: string): Promise<readonly Stored[]>

  /**
   * Leases up to `limit` due delegations to the caller.
   *
   * @param maxLeaseMs - longest lease; see {@link leaseMs}
   */
  claimDue(now: number, limit: number, maxLeaseMs: number): Promise<Claim>

  /**
   * Compare-and-swap: replaces a delegation with `next`, or removes it if `next` is `undefined`, and
   * ends the lease unless `notice` keeps it. Does nothing if the delegation has changed since.
   *
   * @returns whether it was done
   */
  replace(stored: Stored, next: Delegation | undefined, notice: Notice): Promise<boolean>

  /** Makes a claimed delegation due at `at`, unless it has changed since it was read. */
  postpone(stored: Stored, at: number): Promise<void>

  /** Wakes the workers of all replicas. */
  wakeAll(): Promise<void>

  /** Calls `visit` with every delegation, in batches; those added or removed meanwhile may be missed. */
  scan(visit: (batch: readonly Stored[]) => Promise<void>): Promise<void>

  /** Checks the state of the store; called about once a second. */
  heartbeat(): Promise<Heartbeat>

  /** Counts what is stored, cheaply. */
  survey(now: number): Promise<Survey>

  /** Repairs indexes, adopts entries of lk-jwt-service and removes unreadable records. */
  mend(): Promise<Mended>

  /**
   * Restores a remembered delegation, unless the store holds one that was accepted later, or the same
   * with a later deadline.
   *
   * @returns whether it was done
   */
  restore(delegation: Delegation): Promise<boolean>

  /**
   * Calls `listener` when something is due now, with the participant if known. Every replica's
   * listeners are called, whichever replica made the change.
   *
   * @returns a function that removes the listener
   */
  onWake(listener: (key: ParticipantKey | undefined) => void): () => void

  /** Closes connections and files. */
  close(): Promise<void>
}

/** The shortest lease. */
export const MIN_LEASE_MS = 100
/** Length of a lease as a share of the delay. */
export const LEASE_SHARE = 0.04

/**
 * Length of a lease.
 *
 * Promise: when a replica dies, another takes over after 4 % of the delay, 10 s at most. A restart has
 * 20 % of the delay to spare, so it still comes in time.
 */
export function leaseMs(delayMs: number, maxLeaseMs: number): number {
  return Math.min(maxLeaseMs, Math.max(MIN_LEASE_MS, Math.floor(delayMs * LEASE_SHARE)))
}
