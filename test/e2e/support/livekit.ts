import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ChildProcess, startProcess } from '../../support/child-process.ts'
import { CREDENTIALS } from '../../support/credentials.ts'
import { freePort } from '../../support/free-port.ts'
import { untilAnswering } from '../../support/readiness.ts'
import { livekitInstallation } from '../installation/versions.ts'

/** A running LiveKit server that creates no room by itself. */
export interface LiveKit extends AsyncDisposable {
  /** WebSocket URL, without a path. */
  readonly url: string
  readonly apiKey: string
  readonly apiSecret: string
  readonly process: ChildProcess
}

/** How to start {@link LiveKit}. */
export interface LiveKitOptions {
  /** Existing directory for its configuration and log. */
  readonly directory: string
  /** URLs that are told of room and participant events. */
  readonly webhookUrls?: readonly string[]
  /** Host and port of a Redis that it keeps its rooms in, as several nodes do; none by default. */
  readonly redisAddress?: string
}

const address = '127.0.0.1'
const { apiKey, apiSecret } = CREDENTIALS
const startWithinMs = 30_000

/** Starts the LiveKit server from the cache, on free loopback ports. */
export async function startLiveKit(options: LiveKitOptions): Promise<LiveKit> {
  const port = freePort(address)
  const configFile = join(options.directory, 'livekit.yaml')
  await writeFile(configFile, JSON.stringify(configuration(port, options)))
  const process = startProcess({
    command: [livekitInstallation.executable, '--config', configFile],
    logFile: join(options.directory, 'livekit.log'),
  })
  await untilAnswering(process, `http://${address}:${port}/`, startWithinMs)
  return {
    url: `ws://${address}:${port}`,
    apiKey,
    apiSecret,
    process,
    [Symbol.asyncDispose]: () => process.kill(),
  }
}

/** @see https://github.com/livekit/livekit/blob/master/config-sample.yaml */
function configuration(port: number, { webhookUrls = [], redisAddress }: LiveKitOptions) {
  return {
    port,
    bind_addresses: [address],
    keys: { [apiKey]: apiSecret },
    room: { auto_create: false },
    rtc: {
      tcp_port: freePort(address),
      udp_port: freePort(address),
      node_ip: address,
      use_external_ip: false,
      enable_loopback_candidate: true,
      interfaces: { includes: ['lo'] },
      ips: { includes: [`${address}/32`] },
      stun_servers: [],
    },
    logging: { level: 'info', json: true },
    ...(webhookUrls.length > 0 && { webhook: { api_key: apiKey, urls: webhookUrls } }),
    ...(redisAddress !== undefined && { redis: { address: redisAddress } }),
  }
}
