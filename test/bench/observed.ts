import { join } from 'node:path'
import { findClosedPort } from '../support/dead-end.ts'
import { startService } from '../support/service-process.ts'
import type { Child } from './child.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { type LoadedProgram, type MeasuredLoad, measureLoad } from './measured-load.ts'
import type { Plan } from './plan.ts'
import { type AccessLevel, accessLevels } from './rounds.ts'
import { cpuUsPerToken } from './samples.ts'
import { BINARY, type Surroundings } from './subject.ts'

/** Processor time per token with metrics, limits and log, as a multiple of that without them. */
export type ObservationCost = Readonly<Record<AccessLevel, number>>

/** What {@link measureObservation} needs. */
export interface ObservationBench {
  readonly generator: Child<LoadOrder, LoadResult>
  readonly serverNames: Readonly<Record<AccessLevel, string>>
  readonly around: Surroundings
  readonly plan: Plan
}

/** Addresses that requests come from, so that the limit of none is reached. */
const CLIENTS = 5_000
/** Until most of the code is compiled, which takes time of its own. */
const WARM_UP_ROUNDS = 4
/** Has the service write its log to a pipe, as under systemd or in a container. */
const WITH_PIPE = 'exec "$0" serve > >(exec cat) 2>&1'

type Switch = 'on' | 'off'

async function settingsOf(state: Switch): Promise<Record<string, string>> {
  if (state === 'off') return { LIVEKIT_RATE_LIMIT: 'off', LIVEKIT_LOG_LEVEL: 'error' }
  return {
    LIVEKIT_RATE_LIMIT: 'on',
    LIVEKIT_LOG_LEVEL: 'info',
    LIVEKIT_METRICS_BIND: `127.0.0.1:${await findClosedPort()}`,
  }
}

async function start(state: Switch, { env, logFolder }: Surroundings): Promise<LoadedProgram> {
  const process = await startService({
    command: ['bash', '-c', WITH_PIPE, BINARY],
    env: { ...env, ...(await settingsOf(state)) },
    logFile: join(logFolder, `observation-${state}.log`),
  })
  return { name: `service with observation ${state}`, process }
}

/** Loads that have been measured, by what was on and who asked. */
type Loads = Readonly<Record<Switch, Readonly<Record<AccessLevel, MeasuredLoad[]>>>>

/** Loads two new processes in turn, each as often first as second. */
async function measurePair(bench: ObservationBench, loads: Loads, rounds: number): Promise<void> {
  const { generator, serverNames, around, plan } = bench
  await using parts = new AsyncDisposableStack()
  const programs = { on: await start('on', around), off: await start('off', around) }
  for (const { process } of Object.values(programs)) parts.use(process)

  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    for (const [index, access] of accessLevels.entries()) {
      const isOnFirst = (round + index) % 2 === 0
      for (const state of isOnFirst ? (['on', 'off'] as const) : (['off', 'on'] as const)) {
        const load = await measureLoad(generator, programs[state], {
          serverName: serverNames[access],
          first: (round + WARM_UP_ROUNDS) * plan.perRound,
          count: plan.perRound,
          connections: plan.connections,
          clients: CLIENTS,
        })
        if (round >= 0) loads[state][access].push(load)
      }
    }
  }
}

/**
 * Measures what it costs to know what the service does, and to limit it: with metrics, limits and a log
 * of each request, and without any of them, in turn. Processes differ by more than that costs, so it
 * takes several of each.
 */
export async function measureObservation(bench: ObservationBench): Promise<ObservationCost> {
  const { rounds, pairs } = bench.plan
  const loads = { on: { restricted: [], full: [] }, off: { restricted: [], full: [] } }
  for (let pair = 0; pair < pairs; pair += 1) {
    await measurePair(bench, loads, Math.ceil(rounds / pairs))
    process.stderr.write('.')
  }
  process.stderr.write('\n')
  const cost = (access: AccessLevel) =>
    cpuUsPerToken(loads.on[access]) / cpuUsPerToken(loads.off[access])
  return { restricted: cost('restricted'), full: cost('full') }
}
