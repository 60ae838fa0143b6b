import { closeSync, openSync, readFileSync } from 'node:fs'
import { findClosedPort } from './dead-end.ts'

/** How to start the service. */
export interface ServiceOptions {
  /** Program and arguments, such as the compiled binary, or Bun with `src/main.ts serve`. */
  readonly command: readonly string[]
  /** Settings; nothing of this process's environment is passed on but `PATH` and `HOME`. */
  readonly env: Readonly<Record<string, string>>
  /** A free one on loopback unless given. */
  readonly port?: number
  /** Sees standard output and error as they come. */
  readonly onOutput?: (text: string) => void
  /** Output goes to this file alone, and costs this process nothing; for measuring. */
  readonly logFile?: string
}

/** The service as a process of its own. */
export interface ServiceProcess {
  readonly pid: number
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** From the start of the process to the first healthy answer. */
  readonly healthyAfterMs: number
  /** All of standard output and error so far. */
  output(): string
  /** Resolves with the exit code, 128 + number for a signal. */
  readonly exited: Promise<number>
  /** Sends SIGTERM, and SIGKILL after 15 s; gives the exit code. */
  stop(): Promise<number>
  [Symbol.asyncDispose](): Promise<void>
}

type Environment = Readonly<Record<string, string>>

const startLimitMs = 10_000
const stopLimitMs = 15_000

interface Running {
  readonly child: Bun.Subprocess<'ignore', 'pipe' | number, 'pipe' | number>
  output(): string
  readonly exited: Promise<number>
}

async function collect(stream: ReadableStream<Uint8Array>, sink: (text: string) => void) {
  const decoder = new TextDecoder()
  for await (const chunk of stream) sink(decoder.decode(chunk, { stream: true }))
}

function spawnWithPipes({ command, onOutput }: ServiceOptions, env: Environment): Running {
  let output = ''
  function sink(text: string): void {
    output += text
    onOutput?.(text)
  }
  const child = Bun.spawn([...command], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const read = Promise.all([collect(child.stdout, sink), collect(child.stderr, sink)])
  const exited = Promise.all([child.exited, read]).then(([code]) => code)
  return { child, output: () => output, exited }
}

function spawnWithFile(command: readonly string[], logFile: string, env: Environment): Running {
  const file = openSync(logFile, 'a')
  const child = Bun.spawn([...command], { env, stdio: ['ignore', file, file] })
  closeSync(file)
  return { child, output: () => readFileSync(logFile, 'utf8'), exited: child.exited }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(1_000) })
    await response.body?.cancel()
    return response.status === 200
  } catch {
    return false
  }
}

/**
 * Starts the service on loopback and waits until it is healthy.
 *
 * @throws {Error} with the service's output, when it exits or is not healthy within 10 s.
 */
export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const port = options.port ?? (await findClosedPort())
  const url = `http://127.0.0.1:${port}`
  const { PATH = '', HOME = '' } = process.env
  const env = {
    PATH,
    HOME,
    LIVEKIT_JWT_BIND: `127.0.0.1:${port}`,
    // Tests ask more often than any client does.
    LIVEKIT_RATE_LIMIT: 'off',
    ...options.env,
  }
  const startedAt = performance.now()
  const { child, output, exited } =
    options.logFile === undefined
      ? spawnWithPipes(options, env)
      : spawnWithFile(options.command, options.logFile, env)

  async function stop(): Promise<number> {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
    const code = await exited
    clearTimeout(timer)
    return code
  }

  while (!(await isHealthy(url))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`The service exited with code ${await exited}:\n${output()}`)
    }
    if (performance.now() - startedAt > startLimitMs) {
      await stop()
      throw new Error(`The service was not healthy within ${startLimitMs} ms:\n${output()}`)
    }
    await Bun.sleep(1)
  }
  const healthyAfterMs = performance.now() - startedAt

  return {
    pid: child.pid,
    port,
    url,
    healthyAfterMs,
    output,
    exited,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
    },
  }
}
