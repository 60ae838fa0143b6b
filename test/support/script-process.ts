import { join } from 'node:path'
import { type ChildProcess, startProcess } from './child-process.ts'

const SOURCE = join(import.meta.dir, '../../src')

/**
 * Runs a TypeScript module in a process of its own. In its text `#src/` stands for the directory of the
 * sources.
 *
 * @param env - beside `PATH` and `HOME`
 */
export function runScript(text: string, env: Record<string, string> = {}): ChildProcess {
  const command = [process.execPath, '-e', text.replaceAll('#src/', `${SOURCE}/`)]
  return startProcess({ command, env: { HOME: process.env.HOME, ...env } })
}
