/** The clock for all times of delegations. */
export interface DelegationClock {
  /** Whole milliseconds since the epoch. */
  now(): number
  /**
   * Synchronises with another clock. The first call sets the time at once, since nothing depends on it
   * yet; later ones slew it, so that a correction does not make everything due at the same moment.
   *
   * @param time - what the other clock shows now, in milliseconds since the epoch
   */
  follow(time: number): void
}

/** The clocks of this machine. */
export interface ClockSources {
  /** Milliseconds since the epoch; read once, at the start. */
  readonly now: () => number
  /** Milliseconds since some moment, never going back. */
  readonly monotonicNow: () => number
}

/** 50 ms per second. */
const MAX_SLEW = 0.05

/** Creates a clock that ignores steps of this machine's wall clock. */
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
