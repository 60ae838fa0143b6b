import { runToEnd } from '../support/child-process.ts'

/** What an ELF file names to be loaded with it. */
export interface Needs {
  /** Absolute path of the dynamic loader; `undefined` for a shared library. */
  readonly loader: string | undefined
  /** Names of shared libraries. */
  readonly libraries: readonly string[]
}

/**
 * Asks `readelf` what a program or a shared library needs.
 *
 * @throws {Error} when it is no ELF file
 */
export async function neededBy(path: string): Promise<Needs> {
  const { code, stdout, stderr } = await runToEnd({
    command: ['readelf', '--wide', '--dynamic', '--program-headers', path],
    // It speaks other languages too.
    env: { LC_ALL: 'C' },
  })
  if (code !== 0 || stderr !== '') throw new Error(`"${path}": ${stderr}`)
  return {
    loader: /\[Requesting program interpreter: (.+)\]/.exec(stdout)?.[1],
    libraries: [...stdout.matchAll(/\(NEEDED\)\s+Shared library: \[(.+)\]/g)].map(
      ([, name = '']) => name,
    ),
  }
}
