import { INTERVAL_S } from './world.ts'

/** How long the soak runs, and what it is strict about. */
export interface Form {
  readonly durationMs: number
  /** As under load, but before the first look: caches fill, code is compiled, Redis was away once. */
  readonly warmUpMs: number
  readonly restartEveryMs: number
  readonly redisEveryMs: number
  /** Delay of the leave events. */
  readonly delayMs: number
  /** Who is kicked must be off the SFU by then: replicas restart, and Redis is away for moments. */
  readonly removedWithinMs: number
  /** Whether it counts how fast the service was, and how much memory the process takes. */
  readonly isTimed: boolean
}

/** From here on it takes a quiet machine; what is shorter must pass on a busy one too. */
const TIMED_FROM_MINUTES = 10
const MINUTE_MS = 60_000

/** What to do in so many minutes. */
export function formOf(minutes: number): Form {
  const durationMs = minutes * MINUTE_MS
  const isTimed = minutes >= TIMED_FROM_MINUTES
  return {
    durationMs,
    warmUpMs: isTimed ? 2 * MINUTE_MS : MINUTE_MS,
    restartEveryMs: isTimed ? MINUTE_MS : durationMs / 4,
    redisEveryMs: isTimed ? 97_000 : durationMs / 3,
    delayMs: isTimed ? 10_000 : 40_000,
    removedWithinMs: isTimed ? (INTERVAL_S + 15) * 1_000 : 2 * MINUTE_MS,
    isTimed,
  }
}
