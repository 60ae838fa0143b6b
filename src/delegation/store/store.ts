import type { Delegation, ParticipantKey } from '../life/record.ts'

/** Hears that something is due now. */
export type WakeListener = (key: ParticipantKey | undefined) => void

/** Those who want to hear that something is due now. */
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

/** A delegation as it was read. */
export interface Stored {
  readonly delegation: Delegation
  /** The text it is stored as; a change names it, and does nothing when it has changed since. */
  readonly text: string
}

/** What a worker is given to do. */
export interface Claim {
  readonly claimed: readonly Stored[]
  /** When the next delegation is due, or a lease runs out; `undefined` when there is none. */
  readonly nextDueAt: number | undefined
}

/** The store cannot be reached, or does not answer. */
export class StoreUnavailable extends Error {
  readonly code = 'store-unavailable'
  /** What is wrong, for the operator. */
  readonly reason: string

  constructor(reason: string) {
    super(`state store: ${reason}`)
    this.name = 'StoreUnavailable'
    this.reason = reason
  }
}

/**
 * Whether workers are told of a change, or find out when they look for themselves; `keep-lease` and
 * `keep-lease-and-wake` leave whoever is at work alone until the lease runs out.
 */
export type Notice = 'wake' | 'quiet' | 'keep-lease' | 'keep-lease-and-wake'

/** Whether a lease goes on. */
export function keepsLease(notice: Notice): boolean {
  return notice.startsWith('keep-lease')
}

/** Whether workers are told. */
export function wakes(notice: Notice): boolean {
  return notice.endsWith('wake')
}

/** How many delegations there may be at a time. */
export interface Bounds {
  readonly perUser: number
  /** For all users of a server; `undefined` for no bound. */
  readonly perServer: number | undefined
}

/** What came of a new delegation: it is stored, or there are too many of its user or server already. */
export type PutOutcome = 'stored' | 'user-full' | 'server-full'

/** What a store tells when a worker says that it is alive. */
export interface Heartbeat {
  /** The store's own clock in milliseconds since the epoch, where it has one that all replicas go by. */
  readonly time: number | undefined
  /** False when the store may lack what it held before: it came back empty, or older. */
  readonly hasKeptData: boolean
  /** Whether {@link DelegationStore.mend} is to be called. */
  readonly needsMending: boolean
}

/** What {@link DelegationStore.mend} has done; all zero when nothing was wrong. */
export interface Mended {
  /** Delegations that no worker would have found. */
  readonly indexed: number
  /** Entries of lk-jwt-service that were taken over. */
  readonly adopted: number
  /** Records that could not be read any more, and were removed. */
  readonly removed: number
}

/**
 * Holds delegations, one for each participant, for one process or for several replicas. Times are
 * milliseconds since the epoch. Every method throws {@link StoreUnavailable} when the store is away.
 */
export interface DelegationStore {
  /**
   * Stores a new delegation, in the place of the participant's former one. What replaces one of the
   * same user is never too many.
   *
   * @param bounds - none where left out
   */
  put(delegation: Delegation, bounds?: Bounds): Promise<PutOutcome>

  find(key: ParticipantKey): Promise<Stored | undefined>

  findInRoom(room: string): Promise<readonly Stored[]>

  /**
   * Hands up to `limit` due delegations to the caller, and to nobody else until their leases run out.
   *
   * @param maxLeaseMs - a lease is that long, or less where the delay is short: {@link leaseMs}
   */
  claimDue(now: number, limit: number, maxLeaseMs: number): Promise<Claim>

  /**
   * Puts `next` in the place of what was read, or removes it when there is none, and ends the lease,
   * unless `notice` says to keep it.
   * Does nothing when the delegation has been changed since it was read.
   *
   * @param notice - whether workers everywhere are told that something is due now
   * @returns whether it was done
   */
  replace(stored: Stored, next: Delegation | undefined, notice: Notice): Promise<boolean>

  /** Makes a claimed delegation due at `at`, unless it has been changed since it was read. */
  postpone(stored: Stored, at: number): Promise<void>

  /** Tells workers everywhere to look for what is due. */
  wakeAll(): Promise<void>

  /** Calls `visit` with every delegation, in batches; what comes and goes meanwhile may be missed. */
  scan(visit: (batch: readonly Stored[]) => Promise<void>): Promise<void>

  /** Tells that a worker is alive, and asks how the store is; to be called about once a second. */
  heartbeat(): Promise<Heartbeat>

  /** Looks for what has lost its place among the due, for entries of other programs and for ruins. */
  mend(): Promise<Mended>

  /**
   * Puts back what a replica remembers, unless the store holds something that was accepted later, or
   * the same with a later deadline.
   *
   * @returns whether it was done
   */
  restore(delegation: Delegation): Promise<boolean>

  /**
   * Calls `listener` when something is due now, with the participant it is about where that is known;
   * at any replica, whoever caused it.
   *
   * @returns a function that ends it
   */
  onWake(listener: (key: ParticipantKey | undefined) => void): () => void

  /** Gives up connections and files. */
  close(): Promise<void>
}

/** The shortest lease. */
export const MIN_LEASE_MS = 100
/** Share of the delay that a lease lasts. */
export const LEASE_SHARE = 0.04

/**
 * How long a delegation is leased: far less than the fifth of the delay that is left after the
 * moment at which a restart is due, so that another worker can still take over in time.
 */
export function leaseMs(delayMs: number, maxLeaseMs: number): number {
  return Math.min(maxLeaseMs, Math.max(MIN_LEASE_MS, Math.floor(delayMs * LEASE_SHARE)))
}
