/**
 * The root file system of the container image, from one list that the Dockerfile and the scratch
 * test share.
 *
 * `bun src/build/rootfs.ts --out DIRECTORY [--binary FILE] [--sysroot DIRECTORY] [--arch NAME]`
 */

import { chmod, chown, copyFile, mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'

/** A processor architecture that the image is built for, by its name in container platforms. */
export type Architecture = 'amd64' | 'arm64'

/** @throws Error when `name` is not one that the image is built for. */
export function parseArchitecture(name: string): Architecture {
  if (name === 'amd64' || name === 'arm64') return name
  throw new Error(`architecture "${name}": expected "amd64" or "arm64"`)
}

/** @throws Error on a machine that the image is not built for. */
export function hostArchitecture(): Architecture {
  return parseArchitecture(process.arch === 'x64' ? 'amd64' : process.arch)
}

/** User and group that the service runs as in the container. */
export const CONTAINER_UID = 65532

/** One thing in the image, apart from the directories that lead to it. */
export type RootfsEntry = { readonly path: string; readonly mode: number } & (
  | { readonly kind: 'binary' }
  | { readonly kind: 'library'; readonly source: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'writable-directory' }
)

/** Where {@link assembleRootfs} takes things from and puts them. */
export interface RootfsOptions {
  readonly architecture: Architecture
  /** The compiled service. */
  readonly binary: string
  /** Root of a Debian system of that architecture; the libraries are taken from it. */
  readonly sysroot: string
  /** Directory to fill; created when missing. */
  readonly destination: string
}

/** All that the binary needs, and what that needs in turn; the scratch test asks `readelf`. */
const LIBRARIES = ['libc.so.6', 'libdl.so.2', 'libm.so.6', 'libpthread.so.0']

const PLATFORMS = {
  amd64: {
    libraryDirectory: '/lib/x86_64-linux-gnu',
    loader: '/lib64/ld-linux-x86-64.so.2',
  },
  arm64: {
    libraryDirectory: '/lib/aarch64-linux-gnu',
    loader: '/lib/ld-linux-aarch64.so.1',
  },
} as const

const TEXT_FILES = {
  '/etc/group': `nonroot:x:${CONTAINER_UID}:\n`,
  // Without it glibc asks DNS before /etc/hosts, so names that the container engine adds are lost.
  '/etc/nsswitch.conf': 'hosts: files dns\n',
  '/etc/passwd': `nonroot:x:${CONTAINER_UID}:${CONTAINER_UID}::/:/sbin/nologin\n`,
}

/** Everything in the image of one architecture. */
export function rootfsEntries(architecture: Architecture): RootfsEntry[] {
  const { libraryDirectory, loader } = PLATFORMS[architecture]
  const libraries = LIBRARIES.map((name) => `${libraryDirectory}/${name}`)
  return [
    { kind: 'binary', path: '/jwt-service', mode: 0o755 },
    // Debian keeps the loader beside the libraries; programs name it by its own path.
    {
      kind: 'library',
      path: loader,
      source: `${libraryDirectory}/${basename(loader)}`,
      mode: 0o755,
    },
    ...libraries.map((path) => ({ kind: 'library', path, source: path, mode: 0o644 }) as const),
    ...Object.entries(TEXT_FILES).map(
      ([path, text]) => ({ kind: 'text', path, text, mode: 0o644 }) as const,
    ),
    { kind: 'writable-directory', path: '/data', mode: 0o700 },
  ]
}

/**
 * Fills `destination` with the root file system. Needs root, since `/data` belongs to the user of
 * the container.
 *
 * @throws Error when a file is missing, as are libraries of another architecture.
 */
export async function assembleRootfs(options: RootfsOptions): Promise<void> {
  const entries = rootfsEntries(options.architecture)
  // The user of the container must be able to enter directories that root made.
  const umask = process.umask(0o022)
  try {
    for (const entry of entries) await placeEntry(entry, options)
  } finally {
    process.umask(umask)
  }
}

async function placeEntry(entry: RootfsEntry, options: RootfsOptions): Promise<void> {
  const path = join(options.destination, entry.path)
  await mkdir(dirname(path), { recursive: true })
  if (entry.kind === 'binary') await copyFile(options.binary, path)
  if (entry.kind === 'library') await copyFile(join(options.sysroot, entry.source), path)
  if (entry.kind === 'text') await writeFile(path, entry.text)
  if (entry.kind === 'writable-directory') {
    await mkdir(path, { recursive: true })
    await chown(path, CONTAINER_UID, CONTAINER_UID)
  }
  await chmod(path, entry.mode)
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: hostArchitecture() },
      binary: { type: 'string', default: 'dist/jwt-service' },
      out: { type: 'string' },
      sysroot: { type: 'string', default: '/' },
    },
  })
  if (values.out === undefined) throw new Error('--out is missing: the directory to fill')
  await assembleRootfs({
    architecture: parseArchitecture(values.arch),
    binary: values.binary,
    sysroot: values.sysroot,
    destination: values.out,
  })
}
