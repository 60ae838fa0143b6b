/**
 * Milliseconds since the epoch, in fractions: the same in all processes of one machine, as long as
 * nobody sets its clock.
 */
export function sharedNow(): number {
  return performance.timeOrigin + performance.now()
}
