import { join } from 'node:path'
import { schemathesisInstallation } from '../e2e/installation/versions.ts'
import { runToEnd } from '../support/child-process.ts'
import type { ServiceProcess } from '../support/service-process.ts'

const hooks = join(import.meta.dir, 'hooks.py')
/** The same requests each time, so that a run that fails is due to a change. */
const seed = 1

/** Requests that are tried for each endpoint, at least. */
export const examples = 300

/** What to test, and with whom. */
export interface SchemaRun {
  readonly service: ServiceProcess
  /** Where Schemathesis keeps what it remembers of a run. */
  readonly directory: string
  /** What the hooks need to know. */
  readonly stage: Readonly<Record<string, string>>
  /** Regular expression for the paths to test; all of them unless given. */
  readonly paths?: string
}

/** Runs Schemathesis with all its checks; its output tells every finding and how to repeat it. */
export async function runSchemathesis({ service, directory, stage, paths = '' }: SchemaRun) {
  const program = [schemathesisInstallation.python, '-m', 'schemathesis.cli', 'run']
  const what = ['--checks', 'all', '--include-path-regex', paths]
  const amount = ['--max-examples', String(examples), '--seed', String(seed)]
  const { code, stdout, stderr } = await runToEnd({
    command: [...program, ...what, ...amount, `${service.url}/swagger/json`],
    cwd: directory,
    env: { SCHEMATHESIS_HOOKS: hooks, ...stage },
  })
  return { code, output: `${stdout}${stderr}` }
}

/** How often a path was answered with a status, by the log of the service. */
export function answered(service: ServiceProcess, path: string, status: number): number {
  const lines = service.output().split('\n')
  return lines.filter((line) => line.includes(`"route":"${path}","status":${status},`)).length
}
