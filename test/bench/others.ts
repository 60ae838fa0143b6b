import { cpuTimeMs, machineTime } from './process-stats.ts'
import { sum } from './statistics.ts'

/** Watches what takes processor time beside the bench. */
export interface OthersWatch {
  /** Share (0 to 1) of the machine's processor time that went elsewhere since the watch began. */
  share(): Promise<number>
}

async function ownTimeMs(pids: readonly number[]): Promise<number> {
  return sum(await Promise.all(pids.map(cpuTimeMs)))
}

/**
 * Begins to watch.
 *
 * @param pids - processes of the bench, all of which live until the watch ends
 */
export async function watchOthers(pids: readonly number[]): Promise<OthersWatch> {
  const machineBefore = await machineTime()
  const ownBefore = await ownTimeMs(pids)
  return {
    async share() {
      const machine = await machineTime()
      const ownMs = (await ownTimeMs(pids)) - ownBefore
      const othersMs = machine.busyMs - machineBefore.busyMs - ownMs
      return Math.max(0, othersMs) / (machine.totalMs - machineBefore.totalMs)
    },
  }
}
