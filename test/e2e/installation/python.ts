import { join } from 'node:path'
import { run } from './command.ts'
import { ensureDebianPackage } from './debian.ts'

/**
 * Installs Python packages into a new virtual environment.
 *
 * Afterwards only its `bin/python` may be relied on once the directory is renamed: the other
 * scripts carry the path that they were installed under.
 *
 * @returns Directory of the environment's executables.
 */
export async function createVirtualEnvironment(
  directory: string,
  requirement: string,
): Promise<string> {
  await ensureDebianPackage('python3-venv', ['python3', '-c', 'import ensurepip, venv'])
  await run(['python3', '-m', 'venv', directory])
  const binaries = join(directory, 'bin')
  await run([join(binaries, 'python'), '-m', 'pip', 'install', '--quiet', requirement])
  return binaries
}
