import type { Delegation, ParticipantKey } from './delegation.ts'

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
  /** What is wrong, for the operator. */
  readonly reason: string

  constructor(reason: string) {
    super(`state store: ${reason}`)
    this.name = 'StoreUnavailable'
    this.reason = reason
  }
}

/**
 * Whether workers are told of a change, or find out when they look for themselves; `keep-lease` leaves
 * whoever is at work alone until the lease runs out.
 */
export type Notice = 'wake' | 'quiet' | 'keep-lease'

/**
 * Holds delegations, one for each participant, for one process or for several replicas. Times are
 * milliseconds since the epoch. Every method throws {@link StoreUnavailable} when the store is away.
 */
export interface DelegationStore {
  /** Stores a new delegation, in the place of the participant's former one. */
  put(delegation: Delegation): Promise<void>

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

  /**
   * Tells that a worker is alive.
   *
   * @returns whether one was alive within the last seconds, this one included
   */
  heartbeat(now: number): Promise<boolean>

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
