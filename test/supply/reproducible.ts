/** Builds the service in two folders, and compares what comes of it byte by byte. */

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dir, '../..')
const SOURCES = ['src', 'package.json', 'bun.lock', 'bunfig.toml', 'tsconfig.json']
/** Of different lengths, since a path could be made up for with spaces. */
const FOLDERS = ['a', 'another/folder/further/down']
const RESULTS = ['jwt-service', 'jwt-service.cdx.json']

function run(folder: string, ...args: readonly string[]): void {
  const { exitCode } = Bun.spawnSync([process.execPath, ...args], {
    cwd: folder,
    stdout: 'ignore',
    stderr: 'inherit',
  })
  if (exitCode !== 0) throw new Error(`"bun ${args.join(' ')}" failed with ${exitCode}`)
}

async function buildIn(folder: string): Promise<void> {
  for (const name of SOURCES) await cp(join(ROOT, name), join(folder, name), { recursive: true })
  run(folder, 'install', '--frozen-lockfile')
  run(folder, 'src/build/binary.ts')
}

async function sha256(path: string): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  for await (const chunk of Bun.file(path).stream()) hash.update(chunk)
  return hash.digest('hex')
}

const base = await mkdtemp(join(tmpdir(), 'jwt-service-build-'))
try {
  const folders = FOLDERS.map((folder) => join(base, folder))
  for (const folder of folders) await buildIn(folder)
  for (const name of RESULTS) {
    const hashes = await Promise.all(folders.map((folder) => sha256(join(folder, 'dist', name))))
    const isSame = new Set(hashes).size === 1
    process.stdout.write(`${name}: ${isSame ? 'the same' : 'DIFFERENT'} in both folders\n`)
    for (const hash of new Set(hashes)) process.stdout.write(`  sha256 ${hash}\n`)
    if (!isSame) process.exitCode = 1
  }
} finally {
  await rm(base, { recursive: true, force: true })
}
