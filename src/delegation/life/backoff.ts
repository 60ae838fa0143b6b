const FIRST_MS = 1_000
const FACTOR = 1.5
const MAX_MS = 60_000
const MAX_EXPONENT = 20

/**
 * How long to wait before the next attempt: 1 s, growing by half each time, up to 60 s, ±50 %.
 *
 * @param failures - how many attempts in a row have failed
 * @param random - from 0 up to, not including, 1
 */
export function backoffMs(failures: number, random: number): number {
  const exponent = Math.min(Math.max(failures - 1, 0), MAX_EXPONENT)
  return Math.min(FIRST_MS * FACTOR ** exponent * (0.5 + random), MAX_MS)
}
