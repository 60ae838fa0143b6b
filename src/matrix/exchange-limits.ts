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

/** Whoever owns a domain has any number of server names: one client gets half of all places at most. */
function limits({ named, proven, others }: ExchangeTotals, perKey: number, maxWaiting: number) {
  const maxWaitingPerAsker = Math.ceil(maxWaiting / 4)
  const shared = (total: number, patienceMs: number) => {
    const perAsker = Math.ceil(total / 2)
    return { perKey, total, perAsker, maxWaiting, maxWaitingPerAsker, patienceMs }
  }
  return {
    named: { perKey, total: named, maxWaiting },
    proven: shared(proven, PROVEN_PATIENCE_MS),
    others: shared(others, OTHERS_PATIENCE_MS),
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
