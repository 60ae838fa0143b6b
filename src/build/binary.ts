/**
 * Compiles the service to `dist/jwt-service`, and lists what is in it in `dist/jwt-service.cdx.json`
 * (CycloneDX).
 *
 * `bun src/build/binary.ts [--arch amd64|arm64] [--runtime FILE]`: for another architecture give
 * the Bun executable of that architecture too, else Bun downloads it.
 */

import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { engines } from '../../package.json'
import { BUNDLE, ROOT } from './bundle.ts'
import { packagesOf } from './packages.ts'
import { type Architecture, hostArchitecture, parseArchitecture } from './rootfs.ts'
import { billOfMaterials } from './sbom.ts'

const TARGETS = { amd64: 'bun-linux-x64', arm64: 'bun-linux-arm64' } as const

async function compile(architecture: Architecture, runtime: string): Promise<string> {
  const outfile = join(ROOT, 'dist/jwt-service')
  const build = await Bun.build({
    ...BUNDLE,
    bytecode: true,
    sourcemap: 'linked',
    compile: {
      outfile,
      target: TARGETS[architecture],
      executablePath: runtime,
      // The service is configured by its environment alone, wherever it is started.
      autoloadBunfig: false,
      autoloadDotenv: false,
      autoloadPackageJson: false,
      autoloadTsconfig: false,
    },
  })
  // Bun writes the source map beside the executable too, which has its own copy.
  await rm(`${outfile}.map`, { force: true })
  await writeFile(`${outfile}.cdx.json`, billOfMaterials(await packagesOf(build), Bun.version))
  return outfile
}

if (Bun.version !== engines.bun) {
  process.stderr.write(
    `This is Bun ${Bun.version}, but the binary is built with Bun ${engines.bun}: ` +
      `run "npx --yes bun@${engines.bun} run build"\n`,
  )
  process.exit(1)
}

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: hostArchitecture() },
    runtime: { type: 'string', default: process.execPath },
  },
})
const outfile = await compile(parseArchitecture(values.arch), values.runtime)
process.stdout.write(`${outfile}: ${(Bun.file(outfile).size / 1e6).toFixed(0)} MB\n`)
