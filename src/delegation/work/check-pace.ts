/** Refill rate of the token bucket. With {@link BURST}, at most 200 checks fall into any second. */
const CHECKS_PER_SECOND = 160
/** Size of the token bucket. */
const BURST = 40
/** A user without a check for this long gives its share to the others. */
const ACTIVE_MS = 1_000
const BUSY_RETRY_MS = 50

/**
 * Rate limit of presence checks for waiting delegations, shared evenly among users: a user with a
 * thousand delegations delays only their own.
 */
export class CheckPace {
  /** When the latest check of each user is scheduled. */
  readonly #lastOf = new Map<string, number>()
  /** When postponed checks are scheduled, by generation. */
  readonly #promised = new Map<string, number>()
  #tokens = BURST
  #filledAt = Number.NEGATIVE_INFINITY
  #forgotAt = Number.NEGATIVE_INFINITY

  /**
   * Takes permission for one check now.
   *
   * @param user - owner of the delegation
   * @param generation - of the delegation
   * @param random - from 0 up to, not including, 1
   * @returns 0 if granted, or after how many milliseconds to ask again
   */
  waitMs(user: string, generation: string, now: number, random: number): number {
    this.#forget(now)
    this.#fill(now)
    const promised = this.#promised.get(generation)
    const at = promised ?? this.#nextOf(user, now)
    if (promised === undefined) this.#lastOf.set(user, at)
    if (at > now) {
      this.#promised.set(generation, at)
      return at - now
    }
    if (this.#tokens < 1) {
      this.#promised.set(generation, now)
      return BUSY_RETRY_MS * (0.5 + random)
    }
    this.#tokens -= 1
    this.#promised.delete(generation)
    return 0
  }

  #nextOf(user: string, now: number): number {
    const last = this.#lastOf.get(user)
    if (last === undefined) return now
    return Math.max(now, last + (this.#lastOf.size * 1_000) / CHECKS_PER_SECOND)
  }

  #fill(now: number): void {
    const passedMs = Math.max(0, now - this.#filledAt)
    this.#tokens = Math.min(BURST, this.#tokens + (passedMs * CHECKS_PER_SECOND) / 1_000)
    this.#filledAt = now
  }

  #forget(now: number): void {
    if (Math.abs(now - this.#forgotAt) < ACTIVE_MS) return
    this.#forgotAt = now
    for (const [user, at] of this.#lastOf) {
      if (at < now - ACTIVE_MS) this.#lastOf.delete(user)
    }
    // A delegation that did not come back has ended, or is with another replica.
    for (const [generation, at] of this.#promised) {
      if (at < now - 60 * ACTIVE_MS) this.#promised.delete(generation)
    }
  }
}
