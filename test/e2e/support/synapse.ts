import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Certificate } from '../../support/certificates.ts'
import { type ChildProcess, startProcess } from '../../support/child-process.ts'
import { freePort } from '../../support/free-port.ts'
import { untilAnswering } from '../../support/readiness.ts'
import { synapseInstallation } from '../installation/versions.ts'
import {
  type ApplicationServiceSettings,
  type SynapseSettings,
  synapseConfig,
  synapseFiles,
  synapseLogConfig,
} from './synapse-config.ts'

/** A running Synapse. */
export interface Synapse extends AsyncDisposable {
  /** Base URL of both APIs without TLS. */
  readonly plainUrl: string
  /** Port of both APIs with TLS. */
  readonly tlsPort: number
  /** Allows whoever knows it to register users. */
  readonly registrationSecret: string
  readonly process: ChildProcess
}

/** How to start {@link Synapse}. */
export interface SynapseOptions {
  readonly serverName: string
  /** Directory for all of its files; created when missing. */
  readonly directory: string
  /** Address to listen on. */
  readonly address: string
  /** Certificate of the port with TLS. */
  readonly certificate: Certificate
  /** Port of both APIs with TLS, where it is part of the server name; a free one by default. */
  readonly tlsPort?: number
  /** Port of both APIs without TLS, where others have to know it earlier; a free one by default. */
  readonly plainPort?: number
  /** The application service behind it; without one it talks to no other homeserver either. */
  readonly applicationService?: ApplicationServiceSettings
}

const startWithinMs = 90_000

/** Starts the Synapse from the cache with an empty database. */
export async function startSynapse(options: SynapseOptions): Promise<Synapse> {
  const { certificate, ...given } = options
  const settings: SynapseSettings = {
    tlsPort: freePort(options.address),
    plainPort: freePort(options.address),
    ...given,
    registrationSecret: randomBytes(24).toString('hex'),
  }
  await writeFiles(settings, certificate)
  const configFile = join(settings.directory, synapseFiles.config)
  const process = startProcess({
    command: [synapseInstallation.python, '-m', 'synapse.app.homeserver', '-c', configFile],
    logFile: join(settings.directory, 'synapse.log'),
  })
  const plainUrl = `http://${settings.address}:${settings.plainPort}`
  await untilAnswering(process, `${plainUrl}/health`, startWithinMs)
  return {
    plainUrl,
    tlsPort: settings.tlsPort,
    registrationSecret: settings.registrationSecret,
    process,
    [Symbol.asyncDispose]: () => process.kill(),
  }
}

async function writeFiles(settings: SynapseSettings, certificate: Certificate): Promise<void> {
  const contents = [
    [synapseFiles.config, JSON.stringify(synapseConfig(settings))],
    [synapseFiles.logConfig, JSON.stringify(synapseLogConfig)],
    [synapseFiles.signingKey, newSigningKey()],
    [synapseFiles.certificate, certificate.certPem],
    [synapseFiles.privateKey, certificate.keyPem],
  ] as const
  await mkdir(settings.directory, { recursive: true })
  await Promise.all(
    contents.map(([name, content]) => writeFile(join(settings.directory, name), content)),
  )
}

function newSigningKey(): string {
  const seed = randomBytes(32).toString('base64').replace(/=+$/, '')
  return `ed25519 a_e2e ${seed}\n`
}
