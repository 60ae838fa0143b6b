import { join } from 'node:path'
import type { BuildOutput } from 'bun'
import { BUNDLE, ROOT } from './bundle.ts'

/** A package that the binary holds files of. */
export interface CompiledPackage {
  readonly name: string
  readonly version: string
  /** SPDX expression, as the package states it; empty if it states none. */
  readonly licence: string
  /** SHA-512 of its archive in the registry, in hexadecimal, where the lock file has it. */
  readonly sha512: string | undefined
}

const FOLDER = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/

/** Folders of the packages that a bundle was made of, relative to the root of the project. */
function foldersIn({ metafile }: BuildOutput): readonly string[] {
  const outputs = Object.values(metafile?.outputs ?? {})
  if (outputs.length === 0) throw new Error('the bundler does not say what the bundle is made of')
  const files = outputs.flatMap(({ inputs }) => Object.keys(inputs))
  const folders = files.flatMap((file) => FOLDER.exec(file)?.[0] ?? [])
  return [...new Set(folders.map((folder) => folder.slice(folder.indexOf('node_modules/'))))]
}

/** Name of a folder in the lock file, such as `a/b` for a package that only `a` has. */
function lockKeyOf(folder: string): string {
  return folder.split('node_modules/').join('').replace(/^\//, '')
}

/** Integrity by name in the lock file. */
type Integrities = ReadonlyMap<string, string>

async function readIntegrities(): Promise<Integrities> {
  const text = await Bun.file(join(ROOT, 'bun.lock')).text()
  const { packages } = Bun.JSONC.parse(text) as { packages: Record<string, readonly unknown[]> }
  return new Map(Object.entries(packages).map(([key, entry]) => [key, String(entry.at(-1))]))
}

function sha512Of(integrity = ''): string | undefined {
  const [, base64] = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity) ?? []
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('hex')
}

async function readPackage(folder: string, integrities: Integrities): Promise<CompiledPackage> {
  const { name, version, license } = await Bun.file(join(ROOT, folder, 'package.json')).json()
  return {
    name: String(name),
    version: String(version),
    licence: typeof license === 'string' ? license : '',
    sha512: sha512Of(integrities.get(lockKeyOf(folder))),
  }
}

function sortKey({ name, version }: CompiledPackage): string {
  return `${name}@${version}`
}

/** The packages of a bundle that was made with {@link BUNDLE}, sorted by name and version. */
export async function packagesOf(build: BuildOutput): Promise<readonly CompiledPackage[]> {
  const integrities = await readIntegrities()
  const all = await Promise.all(foldersIn(build).map((folder) => readPackage(folder, integrities)))
  const unique = [...new Map(all.map((each) => [sortKey(each), each] as const)).entries()]
  // By code unit: the order of a locale could differ from machine to machine.
  return unique.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each)
}

/** The packages that the binary is made of; nothing is written. */
export async function compiledPackages(): Promise<readonly CompiledPackage[]> {
  return packagesOf(await Bun.build(BUNDLE))
}
