import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runToEnd } from './child-process.ts'

/** What `promtool` said. */
export interface Verdict {
  readonly code: number
  /** Standard output and standard error. */
  readonly output: string
}

/** Runs Prometheus's checker in a folder of its own, with some files in it. */
export async function promtool(
  args: readonly string[],
  input: { readonly stdin?: string; readonly files?: Readonly<Record<string, string>> },
): Promise<Verdict> {
  const folder = await mkdtemp(join(tmpdir(), 'test-promtool-'))
  try {
    for (const [name, text] of Object.entries(input.files ?? {})) {
      await writeFile(join(folder, name), text)
    }
    const command = ['promtool', ...args]
    const ended = await runToEnd({ command, cwd: folder, input: input.stdin ?? '' })
    return { code: ended.code, output: `${ended.stdout}${ended.stderr}` }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
