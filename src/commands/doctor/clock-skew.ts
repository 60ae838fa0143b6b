/** How far the clock of a server is ahead of ours; negative if it is behind. */
export interface ClockSkew {
  readonly seconds: number
  /** For people. */
  readonly text: string
}

/** An HTTP date has whole seconds, and the answer takes its time. */
const MIN_SECONDS = 5

/**
 * Compares the `Date` header of an answer with our clock.
 *
 * @param sentAt - when the request was sent, in milliseconds since the epoch
 * @param answeredAt - when the answer had arrived
 * @returns `undefined` when there is no date, or no difference to speak of
 */
export function clockSkew(
  date: string | null,
  sentAt: number,
  answeredAt: number,
): ClockSkew | undefined {
  const theirs = Date.parse(date ?? '')
  if (Number.isNaN(theirs)) return undefined
  // Between the two moments there is none; beyond them, only what is beyond counts.
  const early = sentAt - (theirs + 999)
  const late = theirs - answeredAt
  const seconds = Math.round(Math.max(early, late, 0) / 1_000)
  if (seconds < MIN_SECONDS) return undefined
  const isAhead = late > 0
  return {
    seconds: isAhead ? seconds : -seconds,
    text: `its clock is ${seconds} s ${isAhead ? 'ahead of' : 'behind'} ours`,
  }
}

/** Remembers differences, so that one wrong clock, most likely ours, is told of once. */
export interface Clocks {
  note(seconds: number): void
  /** Whether another server's clock differs from ours by as much. */
  isKnown(seconds: number): boolean
}

/** Creates {@link Clocks}. */
export function createClocks(): Clocks {
  const known: number[] = []
  return {
    note: (seconds) => void known.push(seconds),
    isKnown: (seconds) => known.some((other) => Math.abs(other - seconds) <= MIN_SECONDS),
  }
}
