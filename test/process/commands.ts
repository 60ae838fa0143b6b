import { join } from 'node:path'
import { CREDENTIAL_SETTINGS } from '../support/credentials.ts'

/** The service as it is started during development. */
export const service = [
  process.execPath,
  '--no-env-file',
  join(import.meta.dir, '../../src/main.ts'),
] as const

/** An environment in which the service starts. */
export const required = {
  LIVEKIT_URL: 'ws://127.0.0.1:1',
  ...CREDENTIAL_SETTINGS,
  LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com',
} as const

/** How a command ended. */
export interface Ending {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command of the service to its end. */
export async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ending> {
  const child = Bun.spawn([...service, ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, code] = await Promise.all([
    child.stdout.text(),
    child.stderr.text(),
    child.exited,
  ])
  return { code, stdout, stderr }
}

/** The lines of a log in JSON. */
export function logLines(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
