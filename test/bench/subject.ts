import { join } from 'node:path'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import type { Plan } from './plan.ts'
import { median } from './statistics.ts'

/** The programs that are measured. */
export const subjectNames = ['service', 'floor'] as const
export type SubjectName = (typeof subjectNames)[number]

/** One measured program, running. */
export interface Subject {
  readonly name: SubjectName
  readonly process: ServiceProcess
}

/** The compiled service. */
export const BINARY = join(import.meta.dir, '../../dist/jwt-service')

const commands = {
  service: [BINARY, 'serve'],
  floor: [process.execPath, join(import.meta.dir, 'floor.ts')],
} as const

/** What a program is started with. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string>>
  /** Folder for what it logs. */
  readonly logFolder: string
}

/** Starts a program. */
export async function startSubject(name: SubjectName, around: Surroundings): Promise<Subject> {
  const logFile = join(around.logFolder, `${name}.log`)
  const process = await startService({ command: commands[name], env: around.env, logFile })
  return { name, process }
}

/** Milliseconds from the start of the process to the first healthy answer, median of several. */
export async function measureStart(
  name: SubjectName,
  around: Surroundings,
  { starts }: Plan,
): Promise<number> {
  const samples: number[] = []
  for (let start = 0; start < starts; start += 1) {
    const { process } = await startSubject(name, around)
    samples.push(process.healthyAfterMs)
    await process.stop()
  }
  return median(samples)
}
