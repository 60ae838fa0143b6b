import type { ParticipantKey } from '../../delegation/life/record.ts'

/** A token of application-service mode that was handed out: it opens the LiveKit room until it expires. */
export interface Admission extends ParticipantKey {
  /** ID of the Matrix room that the user was a member of. */
  readonly matrixRoom: string
  readonly userId: string
  /** When the token expires, in milliseconds since the epoch. */
  readonly expiresAt: number
}

/** A text that no other participant has. */
export function nameOf({ room, identity }: ParticipantKey): string {
  return JSON.stringify([room, identity])
}

/** Result of remembering a token: whether the participant had one; `user-full` for too many of the user. */
export type AdmissionOutcome = 'stored' | 'renewed' | 'user-full'

/** Matrix rooms whose members are to be checked now. */
export interface ClaimedRooms {
  /** IDs of Matrix rooms, leased to the caller. */
  readonly rooms: readonly string[]
  /** When the next room is due, or a lease runs out; `undefined` when there is none. */
  readonly nextDueAt: number | undefined
}

/**
 * Remembers the tokens of application-service mode until they expire, for one process or several
 * replicas, and when the members of each Matrix room are to be checked. Times are milliseconds since the
 * epoch. Every method throws {@link StoreUnavailable} when the store is away.
 */
export interface AdmissionStore {
  /**
   * Remembers a token. It takes the place of an earlier one of the same participant; the later expiry of
   * the two counts.
   *
   * @param perUser - how many unexpired ones a user may have
   * @param firstCheckAt - when the Matrix room is checked, unless a check is scheduled already
   */
  put(
    admission: Admission,
    perUser: number,
    now: number,
    firstCheckAt: number,
  ): Promise<AdmissionOutcome>

  /** Forgets a token that was not handed out after all, unless another one has taken its place. */
  forget(admission: Admission): Promise<void>

  /** The Matrix room that a participant was admitted to; `undefined` for one of no unexpired token. */
  matrixRoomOf(key: ParticipantKey, now: number): Promise<string | undefined>

  /** The unexpired tokens of a Matrix room; expired ones are forgotten. */
  admissionsIn(matrixRoom: string, now: number): Promise<readonly Admission[]>

  /**
   * Leases up to `limit` Matrix rooms that are due to the caller.
   *
   * @param leaseUntil - when they are due again, unless the caller reschedules them
   */
  claimDue(now: number, limit: number, leaseUntil: number): Promise<ClaimedRooms>

  /** Leases a Matrix room to the caller, due or not, until `leaseUntil`. */
  claim(matrixRoom: string, leaseUntil: number): Promise<void>

  /**
   * Sets when a Matrix room is checked next. A room without tokens is checked no more. If the lease has
   * passed to another worker, the check is only brought forward.
   *
   * @param leaseUntil - the caller's lease
   */
  reschedule(matrixRoom: string, leaseUntil: number, at: number): Promise<void>

  /** Closes connections and files. */
  close(): Promise<void>
}
