import { join, resolve } from 'node:path'
import { type ChildProcess, startProcess } from '../../support/child-process.ts'
import { freePort } from '../../support/free-port.ts'
import { untilAnswering } from '../../support/readiness.ts'
import { type HostAddresses, withPrivateHosts } from './private-hosts.ts'

/** A running instance of the compiled binary. */
export interface Service extends AsyncDisposable {
  /** Base URL, without a path. */
  readonly url: string
  readonly process: ChildProcess
  /** Sends a body as JSON, with further headers. */
  post(path: string, body: unknown, headers?: Headers): Promise<ServiceAnswer>
}

type Headers = Readonly<Record<string, string>>

/** What the service answered. */
export interface ServiceAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** How to start {@link Service}. */
export interface ServiceOptions {
  /** Tells instances of one directory apart. */
  readonly name: string
  /** Existing directory for its log and hosts file. */
  readonly directory: string
  /** Its settings, apart from where it listens. */
  readonly settings: Readonly<Record<string, string>>
  /** What host names resolve to for it. */
  readonly hosts: HostAddresses
  /** Port to listen on; a free one by default. */
  readonly port?: number
}

/** The compiled binary. */
export const serviceBinary = resolve(import.meta.dir, '../../../dist/jwt-service')
const address = '127.0.0.1'
const startWithinMs = 10_000

/** Starts the compiled binary, and waits until it says that it is healthy. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const port = options.port ?? freePort(address)
  const hostsFile = join(options.directory, `${options.name}.hosts`)
  const process = startProcess({
    command: await withPrivateHosts([serviceBinary], options.hosts, hostsFile),
    env: {
      LIVEKIT_RATE_LIMIT: 'off',
      ...options.settings,
      LIVEKIT_JWT_BIND: `${address}:${port}`,
    },
    logFile: join(options.directory, `${options.name}.log`),
  })
  const url = `http://${address}:${port}`
  await untilAnswering(process, `${url}/healthz`, startWithinMs)
  return {
    url,
    process,
    post: (path, body, headers = {}) => post(`${url}${path}`, body, headers),
    [Symbol.asyncDispose]: () => process.kill(),
  }
}

async function post(url: string, body: unknown, headers: Headers): Promise<ServiceAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
