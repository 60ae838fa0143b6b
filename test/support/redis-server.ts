import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisClient } from 'bun'
import type { Certificate } from './certificates.ts'
import { type ChildProcess, startProcess } from './child-process.ts'
import { findClosedPort } from './dead-end.ts'
import { untilReady } from './readiness.ts'

/** What a Redis is started with. */
export interface RedisServerOptions {
  readonly password?: string
  /** Speaks TLS on another port, without asking for client certificates. */
  readonly certificate?: Certificate
  /** Whether it keeps all on disk, and has it when it is started again. */
  readonly persistent?: boolean
  /** Further arguments. */
  readonly args?: readonly string[]
}

/** A real Redis with a directory and ports of its own. */
export interface RedisServer extends AsyncDisposable {
  /** `redis://` with the password. */
  readonly url: string
  /** `rediss://` with the password, where there is a certificate. */
  readonly tlsUrl: string
  readonly port: number
  /** Runs a command over a connection that nothing else uses. */
  run(command: string, ...args: readonly string[]): Promise<unknown>
  /** Starts it on the same ports; empty, unless it is persistent. */
  start(): Promise<void>
  /** Ends it with `SIGKILL`. */
  kill(): Promise<void>
  close(): Promise<void>
}

const START_LIMIT_MS = 5_000

async function tlsArguments(directory: string, certificate: Certificate, port: number) {
  const certFile = join(directory, 'cert.pem')
  const keyFile = join(directory, 'key.pem')
  await writeFile(certFile, certificate.certPem)
  await writeFile(keyFile, certificate.keyPem, { mode: 0o600 })
  const files = [
    '--tls-cert-file',
    certFile,
    '--tls-key-file',
    keyFile,
    '--tls-ca-cert-file',
    certFile,
  ]
  return ['--tls-port', String(port), '--tls-auth-clients', 'no', ...files]
}

async function connectTo(url: string): Promise<RedisClient | undefined> {
  const client = new RedisClient(url, { autoReconnect: false, enableOfflineQueue: false })
  try {
    await client.connect()
    await client.send('PING', [])
    return client
  } catch {
    client.close()
    return undefined
  }
}

/** Prepares a Redis; it does not run before `start`. */
export async function createRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const { password, certificate, persistent = false, args = [] } = options
  const directory = await mkdtemp(join(tmpdir(), 'test-redis-'))
  const port = await findClosedPort()
  const tlsPort = await findClosedPort()
  const credentials = password === undefined ? '' : `:${password}@`
  const url = `redis://${credentials}127.0.0.1:${port}`
  const tls = certificate === undefined ? [] : await tlsArguments(directory, certificate, tlsPort)
  const auth = password === undefined ? [] : ['--requirepass', password]
  let server: ChildProcess | undefined
  let client: RedisClient | undefined

  async function canConnect(): Promise<boolean> {
    client = await connectTo(url)
    return client !== undefined
  }

  async function kill(): Promise<void> {
    client?.close()
    client = undefined
    await server?.kill()
    server = undefined
  }

  async function close(): Promise<void> {
    await kill()
    await rm(directory, { recursive: true, force: true })
  }

  return {
    url,
    tlsUrl: `rediss://${credentials}127.0.0.1:${tlsPort}`,
    port,
    async run(command, ...args) {
      if (client === undefined) throw new Error('Redis was not started')
      return client.send(command, [...args])
    },
    async start() {
      const network = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory]
      const memory = ['--save', '', '--appendonly', persistent ? 'yes' : 'no']
      const command = ['redis-server', ...network, ...memory, ...auth, ...tls, ...args]
      // Not to a pipe, which a snapshot under way would keep open when Redis is killed.
      server = startProcess({ command, logFile: join(directory, 'redis.log') })
      await untilReady(server, canConnect, START_LIMIT_MS)
    },
    kill,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** As {@link createRedisServer}; it runs. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await createRedisServer(options)
  await server.start()
  return server
}
