/**
 * Compiles the service to `dist/jwt-service`.
 *
 * `bun src/build/binary.ts [--arch amd64|arm64] [--runtime FILE]`: for another architecture give
 * the Bun executable of that architecture too, else Bun downloads it.
 */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { engines } from '../../package.json'
import { type Architecture, hostArchitecture, parseArchitecture } from './architecture.ts'

const ROOT = join(import.meta.dir, '../..')

const TARGETS = { amd64: 'bun-linux-x64', arm64: 'bun-linux-arm64' } as const

async function compile(architecture: Architecture, runtime: string): Promise<string> {
  const outfile = join(ROOT, 'dist/jwt-service')
  await Bun.build({
    entrypoints: [join(ROOT, 'src/main.ts')],
    target: 'bun',
    format: 'esm',
    bytecode: true,
    // Identifiers stay, so that stack traces and error names read as the source does.
    minify: { syntax: true, whitespace: true, identifiers: false },
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
