/** Concurrent outgoing requests, by purpose. */
export interface RequestBudget {
  /** Verifying users. */
  readonly verifications: ServerBudget
  /** Locating client APIs. */
  readonly locations: ServerBudget
  /** Restarting and sending delayed events. */
  readonly delayedEvents: number
  /** Asking the SFU for participants. */
  readonly presenceChecks: number
  /** Creating rooms on the SFU. */
  readonly roomCreations: number
  /** Asking our homeserver who is joined to a room, for requests. */
  readonly membership: number
  /** The same, and the SFU, for the regular checks. */
  readonly membershipChecks: number
  /** Having requests sent to other homeservers. */
  readonly relays: number
}

/** Separate shares for servers that the operator named, that answered lately, and all others. */
export interface ServerBudget {
  readonly named: number
  readonly proven: number
  readonly others: number
}

/** Default cap of the runtime on concurrent `fetch` requests. */
export const DEFAULT_REQUEST_CAP = 256
/** Cap that a compiled binary sets for itself. */
export const RAISED_REQUEST_CAP = 1_024
/** The runtime reads its cap from this variable. */
export const REQUEST_CAP_VARIABLE = 'BUN_CONFIG_MAX_HTTP_REQUESTS'

const MAX_CAP = 65_535

/** The runtime's cap on concurrent requests; an empty variable counts as unset. */
export function requestCap(variable: string | undefined): number {
  const text = variable?.trim() ?? ''
  const cap = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return cap > 0 && cap <= MAX_CAP ? cap : DEFAULT_REQUEST_CAP
}

/**
 * Divides the runtime's cap among purposes, so that a slow server holds up only its own kind. The shares
 * add up to the cap, unless the cap is too small to give each of them one.
 */
export function requestBudget(cap: number): RequestBudget {
  const share = (parts: number) => Math.max(1, Math.floor((cap * parts) / 64))
  return {
    verifications: { named: share(6), proven: share(7), others: share(8) },
    locations: { named: share(1), proven: share(2), others: share(2) },
    delayedEvents: share(16),
    presenceChecks: share(6),
    roomCreations: share(7),
    membership: share(4),
    membershipChecks: share(3),
    relays: share(2),
  }
}
