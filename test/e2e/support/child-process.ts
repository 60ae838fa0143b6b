import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** A program that a test started and owns. */
export interface ChildProcess extends AsyncDisposable {
  readonly pid: number
  /** Resolves with the exit code, or with 128 plus the number of the signal that ended it. */
  readonly exited: Promise<number>
  /** Everything that it wrote to standard output and standard error so far. */
  output(): Promise<string>
  /** Asks it to stop, kills it when it has not after 10 s, and resolves with its exit code. */
  stop(): Promise<number>
  /** Ends it at once (`SIGKILL`), as a crash would. */
  kill(): Promise<void>
}

/** How to start a {@link ChildProcess}. */
export interface ChildProcessOptions {
  readonly command: readonly string[]
  /** File that its output is appended to. */
  readonly logFile: string
  /** All of its environment, apart from `PATH`. */
  readonly env?: Readonly<Record<string, string>>
}

const stopGraceMs = 10_000

/** Starts a program that dies with this process, however this process ends. */
export function startProcess(options: ChildProcessOptions): ChildProcess {
  const log = openSync(options.logFile, 'a')
  const child = Bun.spawn(['setpriv', '--pdeathsig', 'KILL', '--', ...options.command], {
    env: { PATH: process.env.PATH, ...options.env },
    stdin: 'ignore',
    stdout: log,
    stderr: log,
  })
  closeSync(log)

  async function kill(): Promise<void> {
    child.kill('SIGKILL')
    await child.exited
  }

  async function stop(): Promise<number> {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMs)
    const code = await child.exited
    clearTimeout(timer)
    return code
  }

  return {
    pid: child.pid,
    exited: child.exited,
    output: () => readFile(options.logFile, 'utf8'),
    stop,
    kill,
    [Symbol.asyncDispose]: kill,
  }
}
