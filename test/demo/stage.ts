import { createServer } from 'node:net'
import { join } from 'node:path'
import { createAuthority } from '../support/certificates.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'

/** The real service with a homeserver and an SFU of its own to talk to. */
export interface Stage {
  readonly homeserver: Homeserver
  readonly sfu: Sfu
  readonly service: ServiceProcess
  /** Stops everything that was started. */
  close(): Promise<void>
}

const preferredPort = 8080
const apiKey = 'devkey'
const apiSecret = 'a-secret-for-the-demo-and-nothing-else'

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

async function choosePort(): Promise<number> {
  return (await isFree(preferredPort)) ? preferredPort : findClosedPort()
}

/**
 * Starts all parts, on loopback.
 *
 * @param onOutput sees what the service logs.
 * @throws {Error} when the service does not become healthy.
 */
export async function setStage(onOutput: (text: string) => void): Promise<Stage> {
  const parts = new AsyncDisposableStack()
  try {
    const authority = parts.use(await createAuthority())
    const certificate = await authority.issue({ dns: ['localhost'], ip: ['127.0.0.1'] })
    const port = await findClosedPort()
    const serverName = `localhost:${port}`
    const homeserver = parts.use(await startHomeserver({ serverName, certificate, port }))
    const sfu = parts.use(await startSfu({ apiKey, apiSecret }))
    const service = parts.use(
      await startService({
        command: [process.execPath, join(import.meta.dir, '../../src/main.ts'), 'serve'],
        port: await choosePort(),
        onOutput,
        env: {
          LIVEKIT_URL: sfu.wsUrl,
          LIVEKIT_KEY: apiKey,
          LIVEKIT_SECRET: apiSecret,
          LIVEKIT_FULL_ACCESS_HOMESERVERS: serverName,
          LIVEKIT_LOG_FORMAT: 'pretty',
          NODE_EXTRA_CA_CERTS: authority.caFile,
        },
      }),
    )
    return { homeserver, sfu, service, close: () => parts.disposeAsync() }
  } catch (error) {
    await parts.disposeAsync()
    throw error
  }
}
