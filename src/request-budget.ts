/** How many requests may be under way at a time, by what they are for. The SFU's `CreateRoom` has the rest. */
export interface RequestBudget {
  /** Verifying users of servers that the operator has named. */
  readonly verifyingNamed: number
  /** Verifying all other users. */
  readonly verifyingOthers: number
  /** Restarting and sending delayed events. */
  readonly delayedEvents: number
  /** Asking the SFU for participants. */
  readonly presenceChecks: number
}

/** What the runtime makes at once if nobody says otherwise. */
export const DEFAULT_REQUEST_CAP = 256
/** What a compiled binary asks for. */
export const RAISED_REQUEST_CAP = 1_024
/** The runtime's variable. */
export const REQUEST_CAP_VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'

const MAX_CAP = 65_535

/** The runtime's cap on requests under way, as its variable sets it; empty is the same as unset. */
export function requestCap(variable: string | undefined): number {
  const text = variable?.trim() ?? ''
  const cap = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return cap > 0 && cap <= MAX_CAP ? cap : DEFAULT_REQUEST_CAP
}

/** Shares the runtime's requests out, so that nothing slow can hold up what it has nothing to do with. */
export function requestBudget(cap: number): RequestBudget {
  const share = (parts: number) => Math.max(1, Math.floor((cap * parts) / 32))
  return {
    verifyingNamed: share(4),
    verifyingOthers: share(12),
    delayedEvents: share(9),
    presenceChecks: share(3),
  }
}
