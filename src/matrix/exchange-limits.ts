import type { GateLimits } from '../lib/gate.ts'

/** Limits for three sorts of servers; each has room of its own, so that none can hold up another. */
export interface ExchangeLimits {
  /** For servers that the operator has named. */
  readonly named: GateLimits
  /** For servers that have answered lately. */
  readonly proven: GateLimits
  /** For all others, about which nothing is known. */
  readonly others: GateLimits
}

/** How long a server keeps a place that another one waits for. */
const OTHERS_PATIENCE_MS = 3_000
const PROVEN_PATIENCE_MS = 5_000

/** How many exchanges may be under way with each sort of servers. */
export interface ExchangeTotals {
  readonly named: number
  readonly proven: number
  readonly others: number
}

function limits({ named, proven, others }: ExchangeTotals, perKey: number, maxWaiting: number) {
  return {
    named: { perKey, total: named, maxWaiting },
    proven: { perKey, total: proven, maxWaiting, patienceMs: PROVEN_PATIENCE_MS },
    others: { perKey, total: others, maxWaiting, patienceMs: OTHERS_PATIENCE_MS },
  }
}

/** Verifications at once. */
export function verificationLimits(totals: ExchangeTotals): ExchangeLimits {
  return limits(totals, 16, 4_096)
}

/** Look-ups of client APIs at once; one request for a name is shared by all who want it. */
export function locationLimits(totals: ExchangeTotals): ExchangeLimits {
  return limits(totals, 1, 1_024)
}
