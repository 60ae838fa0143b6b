import type { MeasuredLoad } from './measured-load.ts'
import type { Sample } from './rounds.ts'
import { percentile, sum } from './statistics.ts'
import type { SubjectName } from './subject.ts'

/** Samples of one program without those of the first round. */
export function withoutWarmUp(samples: readonly Sample[], subject: SubjectName): Sample[] {
  return samples.filter((sample) => sample.subject === subject && sample.round > 0)
}

/** Tokens handed out per second. */
export function tokensPerSecond(samples: readonly MeasuredLoad[]): number {
  const tokens = sum(samples.map((sample) => sample.tokens))
  return (tokens * 1_000) / sum(samples.map((sample) => sample.elapsedMs))
}

/** Processor time of the program, microseconds per token. */
export function cpuUsPerToken(samples: readonly MeasuredLoad[]): number {
  const tokens = sum(samples.map((sample) => sample.tokens))
  return (sum(samples.map((sample) => sample.cpuMs)) * 1_000) / tokens
}

/** Within which that share (0 to 1) of the tokens came. */
export function latencyMs(samples: readonly MeasuredLoad[], share: number): number {
  const latenciesUs = samples.flatMap((sample) => sample.latenciesUs)
  return percentile(latenciesUs, share) / 1_000
}
