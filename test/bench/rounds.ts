import type { Child } from './child.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import type { Plan } from './plan.ts'
import { cpuTimeMs, residentMiB } from './process-stats.ts'
import type { Subject, SubjectName } from './subject.ts'

/** What a user may do; each level has a homeserver of its own. */
export const accessLevels = ['restricted', 'full'] as const
export type AccessLevel = (typeof accessLevels)[number]

/** One stretch of load on one program. */
export interface Sample {
  readonly subject: SubjectName
  readonly access: AccessLevel
  readonly round: number
  readonly tokens: number
  readonly elapsedMs: number
  readonly cpuMs: number
  readonly latenciesUs: readonly number[]
}

/** Memory of one program after so many tokens. */
export interface MemorySample {
  readonly subject: SubjectName
  readonly tokens: number
  readonly residentMiB: number
}

/** All that was measured under load. */
export interface Measurements {
  readonly samples: readonly Sample[]
  readonly memory: readonly MemorySample[]
}

const loadLimitMs = 60_000

/** Loads the programs in turn, in another order each round, so that a slow spell hits them alike. */
export async function runRounds(
  subjects: readonly Subject[],
  serverNames: Readonly<Record<AccessLevel, string>>,
  generator: Child<LoadOrder, LoadResult>,
  plan: Plan,
): Promise<Measurements> {
  const samples: Sample[] = []
  const memory: MemorySample[] = []
  const startedAt = performance.now()

  async function load(subject: Subject, access: AccessLevel, round: number): Promise<void> {
    const { pid, port } = subject.process
    const cpuBefore = await cpuTimeMs(pid)
    const { tokens, elapsedMs, latenciesUs, error } = await generator.ask({
      port,
      serverName: serverNames[access],
      first: round * plan.perRound,
      count: plan.perRound,
      connections: plan.connections,
      limitMs: loadLimitMs,
    })
    if (error !== undefined) {
      throw new Error(
        `${subject.name}, ${access}: ${error}\n${subject.process.output().slice(-2_000)}`,
      )
    }
    const cpuMs = (await cpuTimeMs(pid)) - cpuBefore
    samples.push({ subject: subject.name, access, round, tokens, elapsedMs, cpuMs, latenciesUs })
  }

  for (let round = 0; round < plan.rounds; round += 1) {
    if (performance.now() - startedAt > plan.limitMs) break
    const inTurn = round % 2 === 0 ? subjects : subjects.toReversed()
    for (const access of accessLevels) {
      for (const subject of inTurn) await load(subject, access, round)
    }
    for (const { name, process } of subjects) {
      const tokens = (round + 1) * plan.perRound * accessLevels.length
      memory.push({ subject: name, tokens, residentMiB: await residentMiB(process.pid) })
    }
    process.stderr.write('.')
  }
  process.stderr.write('\n')
  return { samples, memory }
}
