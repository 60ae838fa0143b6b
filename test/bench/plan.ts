/** How much to measure. */
export interface Plan {
  /** Each loads every program with restricted and with full access; the first one warms up. */
  readonly rounds: number
  /** Exchanges per round, program and access level. */
  readonly perRound: number
  /** Requests under way at a time. */
  readonly connections: number
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
  starts: 9,
  limitMs: 8 * 60_000,
}

/** Some seconds: says that everything works, and little about speed. */
export const quickPlan: Plan = {
  rounds: 4,
  perRound: 250,
  connections: 32,
  starts: 3,
  limitMs: 60_000,
}
