/** How many requests may be under way at a time, by what they are for. */
export interface RequestBudget {
  /** Verifying users: of servers that the operator has named, that answered lately, and of others. */
  readonly verifications: ServerBudget
  /** Locating client APIs, of the same. */
  readonly locations: ServerBudget
  /** Restarting and sending delayed events. */
  readonly delayedEvents: number
  /** Asking the SFU for participants. */
  readonly presenceChecks: number
  /** Creating rooms on the SFU. */
  readonly roomCreations: number
}

/** Shares of three sorts of servers. */
export interface ServerBudget {
  readonly named: number
  readonly proven: number
  readonly others: number
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

/**
 * Shares the runtime's requests out, so that nothing slow can hold up what it has nothing to do with.
 * The shares sum up to the cap, as long as each can have one.
 */
export function requestBudget(cap: number): RequestBudget {
  const share = (parts: number) => Math.max(1, Math.floor((cap * parts) / 64))
  return {
    verifications: { named: share(6), proven: share(9), others: share(9) },
    locations: { named: share(2), proven: share(3), others: share(3) },
    delayedEvents: share(16),
    presenceChecks: share(6),
    roomCreations: share(10),
  }
}
