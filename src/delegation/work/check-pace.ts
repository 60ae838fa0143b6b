/** How often the SFU is asked about participants who are expected: 200 times in any second at most. */
const CHECKS_PER_SECOND = 160
/** How many may come at the same moment, after a pause. */
const BURST = 40
/** Somebody who has not been asked about for so long does not count. */
const ACTIVE_MS = 1_000
const BUSY_RETRY_MS = 50

/**
 * Spreads the questions about expected participants: so many a second in all, and as many for each
 * user who has some. Whoever has delegated a thousand times waits for themselves alone.
 */
export class CheckPace {
  /** When the last question of a user is, or is to be, asked. */
  readonly #lastOf = new Map<string, number>()
  /** When those that were put off are to be asked, by generation. */
  readonly #promised = new Map<string, number>()
  #tokens = BURST
  #filledAt = Number.NEGATIVE_INFINITY
  #forgotAt = Number.NEGATIVE_INFINITY

  /**
   * Asks for leave to ask about one participant now.
   *
   * @param user - whose participant it is
   * @param generation - of the delegation
   * @param random - from 0 up to, not including, 1
   * @returns 0, or after how many milliseconds to come again
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
    // Whoever was promised something long ago has ended, or another replica sees to it.
    for (const [generation, at] of this.#promised) {
      if (at < now - 60 * ACTIVE_MS) this.#promised.delete(generation)
    }
  }
}
