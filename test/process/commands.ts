import { join } from 'node:path'
import { type Ending, runToEnd } from '../support/child-process.ts'
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

/** Runs a command of the service to its end. */
export function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ending> {
  return runToEnd({ command: [...service, ...args], env })
}

/** The lines of a log in JSON. */
export function logLines(output: string): Record<string, unknown>[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
