import type { GateLimits } from '../lib/gate.ts'

/** Concurrency limits for three kinds of servers, separate so that none can hold up another. */
export interface ExchangeLimits {
  /** For servers that the operator named. */
  readonly named: GateLimits
  /** For servers that answered lately. */
  readonly proven: GateLimits
  /** For all others. */
  readonly others: GateLimits
}

/** How long a server keeps a place while another one waits for it. */
const OTHERS_PATIENCE_MS = 3_000
const PROVEN_PATIENCE_MS = 5_000

/** Concurrent exchanges in total, by kind of server. */
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

/** Limits for verifications. */
export function verificationLimits(totals: ExchangeTotals): ExchangeLimits {
  return limits(totals, 16, 4_096)
}

/** Limits for look-ups of client APIs. One per server is enough, since its callers share it. */
export function locationLimits(totals: ExchangeTotals): ExchangeLimits {
  return limits(totals, 1, 1_024)
}
