import { readFileSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assembleRootfs, CONTAINER_UID, hostArchitecture } from '../../src/build/rootfs.ts'
import {
  type ChildProcess,
  type Ending,
  type ProcessOptions,
  runToEnd,
  startProcess,
} from '../support/child-process.ts'

/**
 * `/proc` is mounted in the mount namespace of the process, so that it goes away with it. The last
 * `exec` leaves the program as process 1 of its own namespace, as in a container.
 */
const ENTER = `mount -t proc proc "$0/proc" &&
  exec chroot --userspec=${CONTAINER_UID}:${CONTAINER_UID} --groups= "$0" "$@"`

/** Where the tools are that enter the container; root's own `PATH` may lack `sbin`. */
const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'

/** Environment of a program in the container. */
export type Environment = Readonly<Record<string, string>>

/** A directory filled as a container's root, which programs can be started in. */
export interface Container {
  /** Sorted absolute paths of everything in the image; those of directories end in `/`. */
  readonly image: readonly string[]
  /** Where a file of the image lies on this machine. */
  pathOf(path: string): string
  /** The same as {@link image} for what has come in since. */
  added(): Promise<string[]>
  /** Puts a file in that an engine or an operator would mount. */
  mount(path: string, text: string): Promise<void>
  /** Starts a program as the user of the image; what it prints goes to the test's own output. */
  start(command: readonly string[], env: Environment): Running
  /** Runs a program to its end. */
  run(command: readonly string[], env: Environment): Promise<Ending>
  /** Removes the directory; whatever ran in it must have ended. */
  [Symbol.asyncDispose](): Promise<void>
}

/** A program that was started in a container. */
export interface Running
  extends Pick<ChildProcess, 'exited' | 'isRunning' | 'output' | 'signal' | 'kill'> {
  /** A line of the program's `/proc/<pid>/status`, such as that of `Uid`, split at white space. */
  status(key: string): string[]
}

/**
 * Assembles the image in a temporary directory.
 *
 * @throws Error unless run by root on Linux, which `chroot` and `mount` take.
 */
export async function createContainer(binary: string): Promise<Container> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    throw new Error('the scratch test must run as root on Linux, since it mounts and changes root')
  }
  const root = await mkdtemp(join(tmpdir(), 'scratch-image-'))
  const remove = () => rm(root, { recursive: true, force: true })
  const image = await assemble(binary, root).catch(async (error: unknown) => {
    await remove()
    throw error
  })

  return {
    image,
    pathOf: (path) => join(root, path),
    added: async () => (await listPaths(root)).filter((path) => !image.includes(path)),
    async mount(path, text) {
      await writeFile(join(root, path), text)
      await chmod(join(root, path), 0o644)
    },
    start: (command, env) => watch(startProcess(enter(root, command, env))),
    run: (command, env) => runToEnd(enter(root, command, env)),
    [Symbol.asyncDispose]: remove,
  }
}

/** @returns what is in the image */
async function assemble(binary: string, root: string): Promise<string[]> {
  await assembleRootfs({
    architecture: hostArchitecture(),
    binary,
    sysroot: '/',
    destination: root,
  })
  await chmod(root, 0o755)
  const image = await listPaths(root)
  await mkdir(join(root, 'proc'))
  return image
}

async function listPaths(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  return entries
    .map((entry) => {
      const path = join(entry.parentPath, entry.name).slice(root.length)
      return entry.isDirectory() ? `${path}/` : path
    })
    .sort()
}

function enter(root: string, command: readonly string[], env: Environment): ProcessOptions {
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child']
  return {
    command: ['unshare', ...namespaces, 'sh', '-c', ENTER, root, ...command],
    env: { ...env, PATH },
    onOutput: (text, from) => process[from].write(text),
  }
}

/** `unshare` stays outside as the parent of the program, and ends with its exit code. */
function watch(unshare: ChildProcess): Running {
  function programPid(): number {
    const { pid } = unshare
    return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10)
  }
  return {
    ...unshare,
    status(key) {
      const lines = readFileSync(`/proc/${programPid()}/status`, 'utf8').split('\n')
      const [, ...values] = lines.find((line) => line.startsWith(`${key}:`))?.split(/\s+/) ?? []
      return values
    },
    signal: (name) => process.kill(programPid(), name),
  }
}
