/** How much to measure. */
export interface Plan {
  /** Each loads every program with restricted and with full access; the first one warms up. */
  readonly rounds: number
  /** Exchanges per round, program and access level. */
  readonly perRound: number
  /** Requests under way at a time. */
  readonly connections: number
  /** Under load, memory goes up and down with the garbage collector; so long after, it is at its level. */
  readonly restMs: number
  /** Bursts into one room, per program; the first one warms up. */
  readonly bursts: number
  /** Pairs of processes, with and without metrics, limits and log, that share as many rounds. */
  readonly pairs: number
  /** Cold starts per program. */
  readonly starts: number
  /** No new round begins after this long. */
  readonly limitMs: number
}

/** 100,000 tokens per program, half of them restricted. */
export const fullPlan: Plan = {
  rounds: 20,
  perRound: 2_500,
  connections: 32,
  restMs: 30_000,
  bursts: 21,
  pairs: 5,
  starts: 9,
  limitMs: 8 * 60_000,
}

/** About a minute: enough for the ratios, too short for the memory after 100,000 tokens. */
export const quickPlan: Plan = {
  rounds: 11,
  perRound: 1_500,
  connections: 32,
  restMs: 5_000,
  bursts: 11,
  pairs: 3,
  starts: 3,
  limitMs: 60_000,
}
