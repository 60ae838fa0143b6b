import { runToEnd } from '../../support/child-process.ts'

/** A command of the installation could not be run or failed; the message ends with its output. */
export class CommandError extends Error {}

/**
 * Runs a command to its end and returns what it printed on standard output.
 *
 * @param env Variables to set on top of the ones of this process.
 * @throws {CommandError} When the command does not exist or exits with a code other than 0.
 */
export async function run(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const [name = '', ...rest] = command
  const environment = { ...process.env, ...env }
  const executable = Bun.which(name, { PATH: environment.PATH ?? '' })
  if (executable === null) {
    throw new CommandError(`"${name}" is needed, and not installed`)
  }
  const { code, stdout, stderr } = await runToEnd({
    command: [executable, ...rest],
    env: environment,
  })
  if (code !== 0) {
    const output = `${stdout}${stderr}`.slice(-4000)
    throw new CommandError(`"${command.join(' ')}" failed with code ${code}:\n${output}`)
  }
  return stdout
}

/** Whether a command exists and exits with code 0. */
export async function succeeds(command: readonly string[]): Promise<boolean> {
  try {
    await run(command)
    return true
  } catch (error) {
    if (error instanceof CommandError) return false
    throw error
  }
}
