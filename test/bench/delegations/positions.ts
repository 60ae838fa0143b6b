import type { Seen } from './stand-ins.ts'

/** Times by participant, in the order in which they were seen. */
export function timesByIndex(seen: readonly Seen[]): ReadonlyMap<number, readonly number[]> {
  const times = new Map<number, number[]>()
  for (const [index, at] of seen) {
    const before = times.get(index)
    if (before === undefined) times.set(index, [at])
    else before.push(at)
  }
  return times
}

/** How long after the one before each restart came, in shares of the delay. */
export function restartPositions(
  times: ReadonlyMap<number, readonly number[]>,
  delayMs: number,
): number[] {
  return [...times.values()].flatMap((of) =>
    of.slice(1).map((at, earlier) => (at - (of[earlier] ?? at)) / delayMs),
  )
}
