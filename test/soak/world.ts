import { join } from 'node:path'
import { addDelayedEvents } from '../faults/support/delayed-events.ts'
import { required } from '../process/commands.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { createMemberApi } from '../support/member-api.ts'
import { AS_TOKEN, HS_TOKEN } from '../support/member-stage.ts'
import { reply } from '../support/misbehaviour.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { startSfu } from '../support/sfu.ts'

const BINARY = join(import.meta.dir, '../../dist/jwt-service')
/** A compiled program obeys it, as Bun does. */
const HEAP_REPORT = { BUN_OPTIONS: `--preload=${join(import.meta.dir, 'heap-report.ts')}` }
const USERINFO = '/_matrix/federation/v1/openid/userinfo'

/** How often membership is checked. */
export const INTERVAL_S = 5

/** A site in both modes, with strangers that stall, lie and are not there. */
export async function startWorld() {
  await using started = new AsyncDisposableStack()
  const api = createMemberApi('example.com', AS_TOKEN)
  const server = started.use(await startHomeserver({ serverName: 'example.com', memberApi: api }))
  const events = addDelayedEvents(server)
  started.defer(() => events.close())
  const slow = started.use(await startHomeserver({ serverName: 'slow.example' }))
  slow.respond(USERINFO, { kind: 'hang' })
  const liar = started.use(await startHomeserver({ serverName: 'liar.example' }))
  liar.respond(USERINFO, reply(200, { sub: '@user:example.com' }), { kind: 'invalid-json' })
  const guests = started.use(await startHomeserver({ serverName: 'guests.example' }))
  const gone = `http://127.0.0.1:${await findClosedPort()}`
  const sfu = started.use(await startSfu(CREDENTIALS))
  const redis = await startRedisServer({ persistent: true })
  started.defer(() => redis.close())

  const places = [server, slow, liar, guests].map(({ serverName, url }) => `${serverName}=${url}`)
  const env = {
    ...required,
    LIVEKIT_URL: sfu.wsUrl,
    LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com',
    LIVEKIT_FEDERATION_URL_OVERRIDES: [...places, `gone.example=${gone}`].join(','),
    LIVEKIT_CS_API_URL_OVERRIDES: `example.com=${server.url}`,
    LIVEKIT_REDIS_URL: redis.url,
    LIVEKIT_AS_TOKEN: AS_TOKEN,
    LIVEKIT_HS_TOKEN: HS_TOKEN,
    LIVEKIT_HS_SERVER_NAME: 'example.com',
    LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: String(INTERVAL_S),
    LIVEKIT_LOG_LEVEL: 'warn',
  }

  const owned = started.move()

  /**
   * Starts a replica, which ends with the world at the latest.
   *
   * @param metricsPort - where its metrics are
   * @param heapFile - where it writes at SIGUSR2 what is on its heap, if it should
   */
  async function startReplica(metricsPort: number, heapFile?: string): Promise<ServiceProcess> {
    const report = heapFile === undefined ? {} : { ...HEAP_REPORT, SOAK_HEAP_FILE: heapFile }
    const metrics = { LIVEKIT_METRICS_BIND: `127.0.0.1:${metricsPort}` }
    const settings = { ...env, ...report, ...metrics }
    return owned.use(await startService({ command: [BINARY, 'serve'], env: settings }))
  }

  const removed = new Set<string>()

  /** Whether the service has taken somebody off the SFU. */
  function wasRemoved(identity: string): boolean {
    // Thousands look, and what the stand-ins have noted would fill the memory.
    for (const { method, message } of sfu.requests.splice(0)) {
      if (method === 'RemoveParticipant') removed.add(String(Object(message).identity))
    }
    for (const notes of [sfu.httpRequests, server.requests, slow.requests, liar.requests]) {
      notes.length = 0
    }
    api.asked.length = 0
    return removed.has(identity)
  }

  return {
    home: { server, events },
    /** An honest server that the operator has not named. */
    guests,
    api,
    sfu,
    wasRemoved,
    forgetRemoval: (identity: string) => void removed.delete(identity),
    redis,
    startReplica,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The type of {@link startWorld}'s result. */
export type World = Awaited<ReturnType<typeof startWorld>>
