/** The value below which that share (0 to 1) of the values lies; `NaN` without values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** The middle one; `NaN` without values. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** All values added up. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
