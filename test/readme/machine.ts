import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFolder } from '../examples/tools.ts'
import { service } from '../process/commands.ts'
import { runToEnd } from '../support/child-process.ts'

/** A folder in which commands of the README run, on a machine without Docker and OpenSSL. */
export interface Machine extends AsyncDisposable {
  readonly folder: string
  /** Names of the files that the commands have made, from A to Z. */
  files(): Promise<readonly string[]>
  /**
   * Runs commands one after the other.
   *
   * @throws {Error} at the first that fails
   */
  run(commands: string): Promise<void>
  /** What the file with that name holds. */
  read(name: string): Promise<string>
  /** What files were given to what groups by `chgrp`: its arguments, a line for each time. */
  groups(): Promise<string>
}

const SERVICE = service.map((part) => `'${part}'`).join(' ')
const PROGRAMS = 'programs'

/** What stands for programs that are not everywhere, or that change more than the folder. */
const STAND_INS = {
  docker: `case "$*" in
  "build -t jwt-service-ts ." | "compose up -d") ;;
  "run --rm jwt-service-ts "*) shift 3; exec ${SERVICE} "$@" ;;
  *) echo "docker does not know: $*" >&2; exit 1 ;;
esac`,
  openssl: `[ "$*" = "rand -hex 32" ] && od -An -v -tx1 -N32 /dev/urandom | tr -d ' \\n'`,
  sudo: 'exec "$@"',
  chgrp: `echo "$@" >> ${PROGRAMS}/groups`,
}

/** Makes a {@link Machine}. */
export async function createMachine(): Promise<Machine> {
  const folder = await createFolder({})
  const programs = join(folder.path, PROGRAMS)
  await mkdir(programs)
  for (const [name, text] of Object.entries(STAND_INS)) {
    await writeFile(join(programs, name), `#!/bin/sh\n${text}\n`)
    await chmod(join(programs, name), 0o755)
  }
  const read = (name: string) => Bun.file(join(folder.path, name)).text()
  return {
    folder: folder.path,
    async files() {
      const names = await readdir(folder.path)
      return names.filter((name) => name !== PROGRAMS).toSorted()
    },
    async run(commands) {
      const { code, stderr } = await runToEnd({
        command: ['sh', '-euc', commands],
        cwd: folder.path,
        env: { PATH: `${programs}:${process.env.PATH}` },
      })
      if (code !== 0) throw new Error(`${commands}: ${stderr}`)
    },
    read,
    groups: () => read(`${PROGRAMS}/groups`),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
