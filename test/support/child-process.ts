import { closeSync, openSync, readFileSync } from 'node:fs'

/** A program that a test started and owns. Disposing of it kills it. */
export interface ChildProcess extends AsyncDisposable {
  readonly pid: number
  /** Resolves with the exit code, 128 + number for a signal, once all output has been read. */
  readonly exited: Promise<number>
  isRunning(): boolean
  /** All of standard output and error so far. */
  output(): string
  /** Sends a message to a child that has `onMessage`. */
  send(message: unknown): void
  signal(name: NodeJS.Signals): void
  /** Sends SIGTERM, and SIGKILL after 15 s; gives the exit code. */
  stop(): Promise<number>
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>
}

/** How to start a program. */
export interface ProcessOptions {
  readonly command: readonly string[]
  /** All of its environment, apart from `PATH`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** What it reads; nothing unless given. */
  readonly input?: string
  /** Sees output as it comes. */
  readonly onOutput?: (text: string, from: 'stdout' | 'stderr') => void
  /** Output goes to the end of this file alone, and costs this process nothing; for measuring. */
  readonly logFile?: string
  /** Output goes to this descriptor alone; `output()` stays empty. */
  readonly descriptor?: number
  /** Output goes to a terminal with so many columns. */
  readonly terminalColumns?: number
  /** Sees what it sends over IPC. */
  readonly onMessage?: (message: unknown) => void
}

/** How a program ended. */
export interface Ending {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const STOP_LIMIT_MS = 15_000

/** Where the system can, nothing outlives the tests, even when they are killed themselves. */
const SETPRIV = Bun.which('setpriv')
const BOUND = SETPRIV === null ? [] : [SETPRIV, '--pdeathsig', 'KILL', '--']

interface Spawned {
  readonly child: Bun.Subprocess
  output(): string
  readonly exited: Promise<number>
}

function commandOf({ command }: ProcessOptions): string[] {
  return [...BOUND, ...command]
}

function settingsOf({ env, cwd, onMessage }: ProcessOptions) {
  const { PATH = '' } = process.env
  return {
    env: { PATH, ...env },
    ...(cwd !== undefined && { cwd }),
    ...(onMessage !== undefined && { ipc: onMessage }),
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  sink: (text: string) => void,
): Promise<void> {
  const decoder = new TextDecoder()
  for await (const chunk of stream) sink(decoder.decode(chunk, { stream: true }))
}

function spawnWithPipes(options: ProcessOptions): Spawned {
  let output = ''
  function sinkOf(from: 'stdout' | 'stderr') {
    return function sink(text: string): void {
      output += text
      options.onOutput?.(text, from)
    }
  }
  const child = Bun.spawn(commandOf(options), {
    ...settingsOf(options),
    stdin: options.input === undefined ? 'ignore' : new TextEncoder().encode(options.input),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const read = [collect(child.stdout, sinkOf('stdout')), collect(child.stderr, sinkOf('stderr'))]
  const exited = Promise.all(read).then(() => child.exited)
  return { child, output: () => output, exited }
}

function spawnWithDescriptor(options: ProcessOptions, descriptor: number): Spawned {
  const stdio = ['ignore', descriptor, descriptor] as const
  const child = Bun.spawn(commandOf(options), { ...settingsOf(options), stdio: [...stdio] })
  return { child, output: () => '', exited: child.exited }
}

function spawnWithFile(options: ProcessOptions, path: string): Spawned {
  const file = openSync(path, 'a')
  const spawned = spawnWithDescriptor(options, file)
  closeSync(file)
  return { ...spawned, output: () => readFileSync(path, 'utf8') }
}

function spawnWithTerminal(options: ProcessOptions, cols: number): Spawned {
  let output = ''
  const decoder = new TextDecoder()
  const child = Bun.spawn(commandOf(options), {
    ...settingsOf(options),
    terminal: {
      cols,
      data(_terminal, chunk) {
        output += decoder.decode(chunk, { stream: true })
      },
    },
  })
  const exited = child.exited.finally(() => child.terminal?.close())
  return { child, output: () => output, exited }
}

function spawn(options: ProcessOptions): Spawned {
  const { logFile, descriptor, terminalColumns } = options
  if (logFile !== undefined) return spawnWithFile(options, logFile)
  if (descriptor !== undefined) return spawnWithDescriptor(options, descriptor)
  if (terminalColumns !== undefined) return spawnWithTerminal(options, terminalColumns)
  return spawnWithPipes(options)
}

/** Starts a program, without waiting for anything. */
export function startProcess(options: ProcessOptions): ChildProcess {
  const { child, output, exited } = spawn(options)

  async function stop(): Promise<number> {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
    const code = await exited
    clearTimeout(timer)
    return code
  }

  async function kill(): Promise<void> {
    child.kill('SIGKILL')
    await exited
  }

  return {
    pid: child.pid,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    output,
    send: (message) => child.send(message),
    signal: (name) => child.kill(name),
    stop,
    kill,
    [Symbol.asyncDispose]: kill,
  }
}

/** Runs a program to its end. */
export async function runToEnd(options: ProcessOptions): Promise<Ending> {
  const said = { stdout: '', stderr: '' }
  function onOutput(text: string, from: 'stdout' | 'stderr'): void {
    said[from] += text
  }
  const code = await startProcess({ ...options, onOutput }).exited
  return { code, ...said }
}
