import { createAtomically } from './atomic-directory.ts'
import { run } from './command.ts'
import { createVirtualEnvironment } from './python.ts'
import { schemathesisInstallation } from './versions.ts'

/**
 * Installs Schemathesis from PyPI into a virtual environment in the cache.
 *
 * @returns `false` when it was there already.
 */
export async function installSchemathesis(): Promise<boolean> {
  const { directory, requirement, python } = schemathesisInstallation
  const installed = await createAtomically(directory, async (temporary) => {
    await createVirtualEnvironment(temporary, requirement)
  })
  await run([python, '-c', 'import schemathesis'])
  return installed
}
