/** What all times of delegations go by. */
export interface DelegationClock {
  /** Whole milliseconds since the epoch. */
  now(): number
  /**
   * Goes by another clock from now on. The first time it is taken over at once, since nothing goes by
   * this one yet; later a difference is made up for by running a little faster or slower, so that
   * nothing becomes due all at once.
   *
   * @param time - what the other clock shows now, in milliseconds since the epoch
   */
  follow(time: number): void
}

/** Where the time comes from. */
export interface ClockSources {
  /** Milliseconds since the epoch; used once, for a start. */
  readonly now: () => number
  /** Milliseconds since some moment, never going back. */
  readonly monotonicNow: () => number
}

/** At most 50 ms in a second. */
const MAX_SLEW = 0.05

/** Makes a clock that steps of this machine's wall clock do not touch. */
export function createDelegationClock({ now, monotonicNow }: ClockSources): DelegationClock {
  let setAt = monotonicNow()
  let offset = now() - setAt
  let aim = offset
  let isFollowing = false

  function offsetAt(at: number): number {
    const most = (at - setAt) * MAX_SLEW
    return offset + Math.max(-most, Math.min(most, aim - offset))
  }

  return {
    now() {
      const at = monotonicNow()
      return Math.floor(at + offsetAt(at))
    },
    follow(time) {
      const at = monotonicNow()
      aim = time - at
      offset = isFollowing ? offsetAt(at) : aim
      setAt = at
      isFollowing = true
    },
  }
}
