import { join } from 'node:path'
import { createAtomically } from './atomic-directory.ts'
import { run } from './command.ts'
import { openapiTypescriptInstallation } from './versions.ts'

/**
 * Installs the generator of client types from npm into the cache.
 *
 * @returns `false` when it was there already.
 */
export function installOpenapiTypescript(): Promise<boolean> {
  const { directory, requirements } = openapiTypescriptInstallation
  return createAtomically(directory, async (temporary) => {
    await Bun.write(join(temporary, 'package.json'), '{}')
    await run([process.execPath, 'add', '--cwd', temporary, '--exact', ...requirements])
  })
}
