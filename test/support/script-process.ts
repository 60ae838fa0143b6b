import { join } from 'node:path'

/** A TypeScript program in a process of its own. */
export interface ScriptProcess {
  readonly pid: number
  /** What it has printed so far, to both outputs. */
  output(): string
  exited: Promise<number>
  /** Ends it with `SIGKILL`. */
  kill(): Promise<void>
}

const SOURCE = join(import.meta.dir, '../../src')

/**
 * Runs a module. In its text `#src/` stands for the directory of the sources.
 *
 * @param env - beside `PATH` and `HOME`
 */
export function runScript(text: string, env: Record<string, string> = {}): ScriptProcess {
  const { PATH = '', HOME = '' } = process.env
  const child = Bun.spawn([process.execPath, '-e', text.replaceAll('#src/', `${SOURCE}/`)], {
    env: { PATH, HOME, ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  let output = ''
  async function collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of stream) output += decoder.decode(chunk, { stream: true })
  }
  const collected = Promise.all([collect(child.stdout), collect(child.stderr)])
  const exited = collected.then(() => child.exited)
  return {
    pid: child.pid,
    output: () => output,
    exited,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
