import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createAtomically } from './atomic-directory.ts'
import { run, succeeds } from './command.ts'
import { createVirtualEnvironment } from './python.ts'
import { livekitInstallation } from './versions.ts'

/**
 * Builds the LiveKit server from its Go module into the cache.
 *
 * @returns `false` when it was there already.
 */
export function installLiveKit(): Promise<boolean> {
  const { directory, executable } = livekitInstallation
  return createAtomically(directory, async (temporary) => {
    if (await hasUsableGo()) return build(temporary, {})
    const toolchain = await mkdtemp(join(tmpdir(), 'go-toolchain-'))
    try {
      const binaries = await createVirtualEnvironment(toolchain, livekitInstallation.goRequirement)
      await build(temporary, { PATH: `${binaries}${delimiter}${process.env.PATH ?? ''}` })
    } finally {
      await rm(toolchain, { recursive: true, force: true })
    }
  }).then(async (installed) => {
    await run([executable, '--version'])
    return installed
  })
}

/** Releases before 1.21 cannot fetch a newer toolchain by themselves. */
async function hasUsableGo(): Promise<boolean> {
  if (!(await succeeds(['go', 'version']))) return false
  const [, minor] = /go1\.(\d+)/.exec(await run(['go', 'env', 'GOVERSION'])) ?? []
  return Number(minor) >= 21
}

async function build(directory: string, env: Readonly<Record<string, string>>): Promise<void> {
  await run(['go', 'install', livekitInstallation.goPackage], {
    ...env,
    GOBIN: directory,
    GOTOOLCHAIN: 'auto',
  })
}
