import type { GateLimits } from '../net/gate.ts'

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

/**
 * Verifications at once. By its own `fetch` the runtime makes at most 256 requests at once; the rest of
 * them are kept free for client APIs, the SFU and delegations, so that slow homeservers cannot hold up
 * calls. That goes for the named servers, and behind a proxy for HTTPS for all.
 */
export const VERIFICATION_LIMITS: ExchangeLimits = {
  named: { perKey: 16, total: 32, maxWaiting: 4_096 },
  proven: { perKey: 16, total: 48, maxWaiting: 4_096, patienceMs: PROVEN_PATIENCE_MS },
  others: { perKey: 16, total: 48, maxWaiting: 4_096, patienceMs: OTHERS_PATIENCE_MS },
}

/** Look-ups of client APIs at once; one request for a name is shared by all who want it. */
export const LOCATION_LIMITS: ExchangeLimits = {
  named: { perKey: 1, total: 8, maxWaiting: 1_024 },
  proven: { perKey: 1, total: 12, maxWaiting: 1_024, patienceMs: PROVEN_PATIENCE_MS },
  others: { perKey: 1, total: 12, maxWaiting: 1_024, patienceMs: OTHERS_PATIENCE_MS },
}
