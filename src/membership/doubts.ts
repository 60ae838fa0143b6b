import type { Logger } from '../log.ts'
import type { Trouble } from '../trouble.ts'

const MAX_ROOMS = 10_000

/** Tells the operator why membership cannot be checked. */
export interface Doubts {
  /** Warns once for each reason, as an outage concerns every room. */
  note(matrixRoom: string, trouble: Trouble): void
  /** The members of the room are known again, or do not matter. */
  clear(matrixRoom: string): void
}

/** Creates {@link Doubts}. */
export function createDoubts(logger: Logger): Doubts {
  /** What was found, by Matrix room. */
  const reasons = new Map<string, string>()

  return {
    note(matrixRoom, trouble) {
      const isKnown = reasons.values().some((known) => known === trouble.found)
      if (reasons.size < MAX_ROOMS) reasons.set(matrixRoom, trouble.found)
      if (!isKnown) logger.warn('membership cannot be checked', { trouble })
    },
    clear(matrixRoom) {
      const wasLast = reasons.delete(matrixRoom) && reasons.size === 0
      if (wasLast) logger.info('membership can be checked again')
    },
  }
}
