import { CommandError } from './installation/command.ts'
import { ensureDebianPackage } from './installation/debian.ts'
import { installLiveKit } from './installation/livekit.ts'
import { installSynapse } from './installation/synapse.ts'
import { livekitInstallation, synapseInstallation } from './installation/versions.ts'

/** Installs what the end-to-end tests run for real; quick once everything is in the cache. */
async function setUp(): Promise<void> {
  await ensureDebianPackage('openssl', ['openssl', 'version'])
  await ensureDebianPackage('util-linux', ['unshare', '--version'])
  await report('Synapse', synapseInstallation.directory, installSynapse)
  await report('LiveKit (building it takes minutes)', livekitInstallation.directory, installLiveKit)
}

async function report(
  name: string,
  directory: string,
  install: () => Promise<boolean>,
): Promise<void> {
  process.stdout.write(`${name}: `)
  const installed = await install()
  process.stdout.write(`${installed ? 'installed in' : 'found in'} ${directory}\n`)
}

try {
  await setUp()
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  process.stderr.write(`\nThe end-to-end tests cannot be set up: ${error.message}\n`)
  process.exitCode = 1
}
