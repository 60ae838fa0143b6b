import type { Child } from './child.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { type MeasuredLoad, measureLoad } from './measured-load.ts'
import type { Plan } from './plan.ts'
import { residentMiB } from './process-stats.ts'
import type { Subject, SubjectName } from './subject.ts'

/** What a user may do; each level has a homeserver of its own. */
export const accessLevels = ['restricted', 'full'] as const
export type AccessLevel = (typeof accessLevels)[number]

/** One stretch of load on one program. */
export interface Sample extends MeasuredLoad {
  readonly subject: SubjectName
  readonly access: AccessLevel
  readonly round: number
}

/** Memory of one program after so many tokens. */
export interface MemorySample {
  readonly subject: SubjectName
  readonly tokens: number
  readonly residentMiB: number
}

/** All that was measured under load. */
export interface Measurements {
  /** Each token in a room of its own. */
  readonly samples: readonly Sample[]
  /** All at once into one room. */
  readonly bursts: readonly Sample[]
  readonly memory: readonly MemorySample[]
  /** The same after all these tokens, once the programs have had time to tidy up. */
  readonly rested: readonly MemorySample[]
}

/** What is measured, and what makes the load. */
export interface Bench {
  readonly subjects: readonly Subject[]
  readonly serverNames: Readonly<Record<AccessLevel, string>>
  readonly generator: Child<LoadOrder, LoadResult>
  readonly plan: Plan
}

/** Requests of one burst. */
export const burstSize = 500

type Stretch = Pick<LoadOrder, 'first' | 'count' | 'connections' | 'room'>
type Turn = Pick<Sample, 'access' | 'round'>

async function load(bench: Bench, subject: Subject, turn: Turn, stretch: Stretch): Promise<Sample> {
  const serverName = bench.serverNames[turn.access]
  const measured = await measureLoad(bench.generator, subject, { ...stretch, serverName })
  return { ...turn, subject: subject.name, ...measured }
}

/** In another order each round, so that a slow spell hits all alike. */
function inTurn({ subjects }: Bench, round: number): readonly Subject[] {
  return round % 2 === 0 ? subjects : subjects.toReversed()
}

async function runRound(bench: Bench, round: number): Promise<Sample[]> {
  const { perRound: count, connections } = bench.plan
  const samples: Sample[] = []
  for (const access of accessLevels) {
    for (const subject of inTurn(bench, round)) {
      const stretch = { first: round * count, count, connections }
      samples.push(await load(bench, subject, { access, round }, stretch))
    }
  }
  return samples
}

/** The service creates the room; the floor, which knows of no sharing, is spared it. */
async function runBurst(bench: Bench, round: number): Promise<Sample[]> {
  const samples: Sample[] = []
  for (const subject of inTurn(bench, round)) {
    const access = subject.name === 'service' ? 'full' : 'restricted'
    const first = (bench.plan.rounds + round) * bench.plan.perRound
    const size = { count: burstSize, connections: burstSize }
    const stretch = { ...size, first, room: `burst${round}` }
    samples.push(await load(bench, subject, { access, round }, stretch))
  }
  return samples
}

async function memoryOf(subjects: readonly Subject[], tokens: number): Promise<MemorySample[]> {
  const sizes = subjects.map(async ({ name, process }) => {
    return { subject: name, tokens, residentMiB: await residentMiB(process.pid) }
  })
  return Promise.all(sizes)
}

/** Loads the programs in turn: first a room for each token, then bursts into one. */
export async function runRounds(bench: Bench): Promise<Measurements> {
  const { subjects, plan } = bench
  const samples: Sample[] = []
  const bursts: Sample[] = []
  const memory: MemorySample[] = []
  const startedAt = performance.now()

  for (let round = 0; round < plan.rounds; round += 1) {
    if (performance.now() - startedAt > plan.limitMs) break
    samples.push(...(await runRound(bench, round)))
    memory.push(...(await memoryOf(subjects, (round + 1) * plan.perRound * accessLevels.length)))
    process.stderr.write('.')
  }
  await Bun.sleep(plan.restMs)
  const rested = await memoryOf(subjects, memory.at(-1)?.tokens ?? 0)
  for (let round = 0; round < plan.bursts; round += 1)
    bursts.push(...(await runBurst(bench, round)))
  process.stderr.write('\n')
  return { samples, bursts, memory, rested }
}
