import { get } from 'node:http'
import type { BindAddress } from '../config/http-parsers.ts'
import { type Environment, noteLine } from '../config/reader.ts'
import { loadBindAddress } from '../config.ts'
import { errorCode } from '../lib/error-code.ts'

const TIMEOUT_MS = 3_000

/** Local addresses that reach a service listening on `host`. */
export function reachableAt({ host }: BindAddress): readonly string[] {
  if (host === undefined || host === '::') return ['127.0.0.1', '[::1]']
  if (host === '0.0.0.0') return ['127.0.0.1']
  return [host.includes(':') ? `[${host}]` : host]
}

/** What the code of the system means. */
function describe(code: string): string {
  return code === 'ECONNREFUSED' ? 'nothing listens there (ECONNREFUSED)' : code
}

/** Asks without a proxy; `fetch` would use the one in the environment. */
function ask(authority: string): Promise<string | undefined> {
  const url = `http://${authority}/healthz`
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  return new Promise((resolve) => {
    const request = get(url, { signal }, ({ statusCode }) => {
      resolve(statusCode === 200 ? undefined : `${url}: status ${statusCode}`)
    })
    request.on('error', (error) => {
      resolve(`${url}: ${signal.aborted ? 'no answer in time' : describe(errorCode(error))}`)
    })
  })
}

/**
 * The `healthcheck` command: asks the service on this machine, at the address in `LIVEKIT_JWT_BIND`,
 * and writes one line.
 *
 * @returns the exit code: 0 if healthy, 1 if not
 */
export async function healthcheck(
  env: Environment,
  write: (line: string) => void,
): Promise<number> {
  const bind = loadBindAddress(env)
  if (!('port' in bind)) {
    write(`unhealthy: ${bind.map(noteLine).join('; ')}\n`)
    return 1
  }
  const failures: string[] = []
  for (const host of reachableAt(bind)) {
    const failure = await ask(`${host}:${bind.port}`)
    if (failure === undefined) {
      write('healthy\n')
      return 0
    }
    failures.push(failure)
  }
  write(`unhealthy: ${failures.join('; ')}\n`)
  return 1
}
