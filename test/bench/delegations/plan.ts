/** How much to measure of delegations. */
export interface DelegationPlan {
  /** Delegations of one hour. */
  readonly held: number
  /** How long the steady state is watched. */
  readonly steadyMs: number
  /** Restarts of the service with that many stored. */
  readonly recoveries: number
  /** Delegations of the shorter delay. */
  readonly busy: number
  readonly busyDelayMs: number
  /** How many restarts of each are awaited, the first one aside. */
  readonly periods: number
  readonly webhooks: number
  readonly webhooksPerSecond: number
}

/** About six minutes. */
export const fullDelegationPlan: DelegationPlan = {
  held: 100_000,
  steadyMs: 30_000,
  recoveries: 3,
  busy: 10_000,
  busyDelayMs: 30_000,
  periods: 3,
  webhooks: 2_000,
  webhooksPerSecond: 100,
}

/** Some seconds: says that everything works, and little about speed. */
export const quickDelegationPlan: DelegationPlan = {
  held: 2_000,
  steadyMs: 2_000,
  recoveries: 1,
  busy: 200,
  busyDelayMs: 2_000,
  periods: 2,
  webhooks: 50,
  webhooksPerSecond: 50,
}
