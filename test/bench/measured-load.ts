import type { ServiceProcess } from '../support/service-process.ts'
import type { Child } from './child.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { cpuTimeMs } from './process-stats.ts'

/** What a stretch of load took. */
export interface MeasuredLoad {
  readonly tokens: number
  readonly elapsedMs: number
  /** Processor time of the program. */
  readonly cpuMs: number
  readonly latenciesUs: readonly number[]
}

/** Where the load goes, by a name for errors. */
export interface LoadedProgram {
  readonly name: string
  readonly process: ServiceProcess
}

/** The load, without the port to which it goes. */
export type Stretch = Omit<LoadOrder, 'port' | 'limitMs'>

const LIMIT_MS = 60_000

/**
 * Loads one program.
 *
 * @throws {Error} when anything but tokens comes back
 */
export async function measureLoad(
  generator: Child<LoadOrder, LoadResult>,
  { name, process }: LoadedProgram,
  stretch: Stretch,
): Promise<MeasuredLoad> {
  const { pid, port, output } = process
  const cpuBefore = await cpuTimeMs(pid)
  const order = { ...stretch, port, limitMs: LIMIT_MS }
  const { tokens, elapsedMs, latenciesUs, error } = await generator.ask(order)
  if (error !== undefined) {
    throw new Error(`${name}, ${stretch.serverName}: ${error}\n${output().slice(-2_000)}`)
  }
  return { tokens, elapsedMs, latenciesUs, cpuMs: (await cpuTimeMs(pid)) - cpuBefore }
}
