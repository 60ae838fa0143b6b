import { type ChildProcess, type ProcessOptions, startProcess } from './child-process.ts'
import { findClosedPort } from './dead-end.ts'
import { untilAnswering } from './readiness.ts'

/** How to start the service. */
export interface ServiceOptions extends ProcessOptions {
  /** Settings; nothing of this process's environment is passed on but `PATH` and `HOME`. */
  readonly env: Readonly<Record<string, string>>
  /** Where it listens, as in a URL: `127.0.0.1` unless given. */
  readonly host?: string
  /** A free one unless given. */
  readonly port?: number
}

/** The service as a process of its own. Disposing of it stops it. */
export interface ServiceProcess extends ChildProcess {
  readonly port: number
  /** `http://HOST:PORT` */
  readonly url: string
  /** From the start of the process to the first healthy answer. */
  readonly healthyAfterMs: number
}

const START_LIMIT_MS = 10_000

/**
 * Starts the service on loopback and waits until it is healthy.
 *
 * @param options - the command is the compiled binary, or Bun with `src/main.ts serve`
 * @throws {Error} with the service's output, when it exits or is not healthy within 10 s.
 */
export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const { host = '127.0.0.1', port = await findClosedPort(), ...processOptions } = options
  const env = {
    HOME: process.env.HOME,
    LIVEKIT_JWT_BIND: `${host}:${port}`,
    // Tests ask more often than any client does.
    LIVEKIT_RATE_LIMIT: 'off',
    ...options.env,
  }
  const url = `http://${host}:${port}`
  const startedAt = performance.now()
  const child = startProcess({ ...processOptions, env })
  await untilAnswering(child, `${url}/healthz`, START_LIMIT_MS)
  return {
    ...child,
    port,
    url,
    healthyAfterMs: performance.now() - startedAt,
    async [Symbol.asyncDispose]() {
      await child.stop()
    },
  }
}
