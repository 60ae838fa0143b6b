import { readFile } from 'node:fs/promises'

/** Clock ticks per second in `/proc`; 100 on every Linux that Bun runs on. */
const ticksPerSecond = 100

/** Processor time that a process has used so far, user and system, all threads. */
export async function cpuTimeMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
  // The second field is the program's name in brackets, and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return (ticks * 1_000) / ticksPerSecond
}

/** Resident memory of a process. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024
}

/** Processor time of the whole machine since it was started. */
export interface MachineTime {
  /** Spent on whatever ran, and taken away by the host of a virtual machine. */
  readonly busyMs: number
  readonly totalMs: number
}

/** Reads the machine's processor time. */
export async function machineTime(): Promise<MachineTime> {
  const [line = ''] = (await readFile('/proc/stat', 'latin1')).split('\n')
  // user nice system idle iowait irq softirq steal; time of guests is in the first two already.
  const ticks = line.trim().split(/\s+/).slice(1, 9).map(Number)
  const total = ticks.reduce((before, more) => before + more, 0)
  const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0)
  const toMs = 1_000 / ticksPerSecond
  return { busyMs: (total - idle) * toMs, totalMs: total * toMs }
}
