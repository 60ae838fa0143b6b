import { createAtomically } from './atomic-directory.ts'
import { run } from './command.ts'
import { createVirtualEnvironment } from './python.ts'
import { synapseInstallation } from './versions.ts'

/**
 * Installs Synapse from PyPI into a virtual environment in the cache.
 *
 * @returns `false` when it was there already.
 */
export async function installSynapse(): Promise<boolean> {
  const installed = await createAtomically(synapseInstallation.directory, async (temporary) => {
    await createVirtualEnvironment(temporary, synapseInstallation.requirement)
  })
  await run([synapseInstallation.python, '-c', 'import synapse'])
  return installed
}
