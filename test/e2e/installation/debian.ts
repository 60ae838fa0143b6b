import { CommandError, run, succeeds } from './command.ts'

let listsAreFresh = false

/**
 * Makes sure that a command works, by installing the Debian package that provides what it needs.
 *
 * @param probe A command that exits with code 0 once everything is there.
 * @throws {CommandError} When the package is missing and cannot be installed by this user.
 */
export async function ensureDebianPackage(name: string, probe: readonly string[]): Promise<void> {
  if (await succeeds(probe)) return
  if (Bun.which('apt-get') === null || process.getuid?.() !== 0) {
    throw new CommandError(
      `"${probe.join(' ')}" does not work: install what Debian calls "${name}" (or run this as root on Debian)`,
    )
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  if (!listsAreFresh) {
    await run(['apt-get', 'update', '-qq'], env)
    listsAreFresh = true
  }
  await run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', name], env)
  if (!(await succeeds(probe))) {
    throw new CommandError(`"${probe.join(' ')}" fails although "${name}" is installed`)
  }
}
