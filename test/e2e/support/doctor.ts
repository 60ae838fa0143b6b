import { join } from 'node:path'
import type { Finding } from '../../../src/commands/doctor/report.ts'
import { runToEnd } from '../../support/child-process.ts'
import { type HostAddresses, withPrivateHosts } from './private-hosts.ts'
import { serviceBinary } from './service.ts'

/** What the doctor is started with. */
export interface DoctorCommand {
  /** Existing directory for its hosts file. */
  readonly directory: string
  /** What host names resolve to for it. */
  readonly hosts: HostAddresses
  readonly settings: Readonly<Record<string, string>>
  readonly args: readonly string[]
}

/** What the doctor said. */
export interface DoctorAnswer {
  readonly exitCode: number
  readonly findings: readonly Finding[]
  /** All that it wrote. */
  readonly text: string
}

/** Runs the `doctor` command of the compiled binary. */
export async function runDoctor(command: DoctorCommand): Promise<DoctorAnswer> {
  const { directory, hosts, settings, args } = command
  const hostsFile = join(directory, `doctor-${crypto.randomUUID()}.hosts`)
  const line = [serviceBinary, 'doctor', ...args, '--json']
  const { code, stdout, stderr } = await runToEnd({
    command: await withPrivateHosts(line, hosts, hostsFile),
    env: settings,
  })
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] }
  return { exitCode: code, findings, text: stdout + stderr }
}
