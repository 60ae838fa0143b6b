import { afterEach, expect, test } from 'bun:test'
import { resolve } from 'node:path'
import { addDelayedEvents, type DelayedEvents } from '../faults/support/delayed-events.ts'
import { eventually } from '../faults/support/eventually.ts'
import { freePort } from '../support/free-port.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { type LiveKit, startLiveKit } from './support/livekit.ts'
import { joinLiveKit, type LiveKitParticipant } from './support/livekit-client.ts'
import { startRedis } from './support/redis.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'

const PARTICIPANTS = 10
/** Long enough that the homeserver's own timer does not fire. */
const DELAY_MS = 300_000
/** Longer than the two checks that confirm an absence. */
const WATCH_MS = 6_000
const binary = resolve(process.env.JWT_SERVICE_BINARY ?? 'dist/jwt-service')

let resources = new AsyncDisposableStack()
afterEach(async () => {
  await resources.disposeAsync()
  resources = new AsyncDisposableStack()
})

interface Call {
  readonly homeserver: Homeserver
  readonly events: DelayedEvents
  readonly livekit: LiveKit
  readonly service: ServiceProcess
}

async function startCall(redisAddress?: string): Promise<Call> {
  const { path: directory } = resources.use(await createTemporaryDirectory('reconnect'))
  const homeserver = resources.use(await startHomeserver({ serverName: 'example.com' }))
  const port = freePort('127.0.0.1')
  const livekit = resources.use(
    await startLiveKit({
      directory,
      webhookUrls: [`http://127.0.0.1:${port}/sfu_webhook`],
      ...(redisAddress !== undefined && { redisAddress }),
    }),
  )
  const place = `example.com=${homeserver.url}`
  const service = resources.use(
    await startService({
      command: [binary],
      port,
      env: {
        LIVEKIT_URL: livekit.url,
        LIVEKIT_KEY: livekit.apiKey,
        LIVEKIT_SECRET: livekit.apiSecret,
        LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com',
        LIVEKIT_FEDERATION_URL_OVERRIDES: place,
        LIVEKIT_CS_API_URL_OVERRIDES: place,
      },
    }),
  )
  return { homeserver, events: addDelayedEvents(homeserver), livekit, service }
}

/** A participant of one call, who has handed its leave over. */
async function delegate({ homeserver, events, service }: Call, number: number): Promise<string> {
  const userId = `@user${number}:example.com`
  events.schedule(delayIdOf(number), DELAY_MS)
  const answer = await fetch(`${service.url}/get_token`, {
    method: 'POST',
    body: JSON.stringify({
      room_id: '!room:example.com',
      slot_id: 'm.call#ROOM',
      openid_token: {
        access_token: homeserver.issueOpenIdToken(userId),
        matrix_server_name: 'example.com',
      },
      member: { id: 'member', claimed_user_id: userId, claimed_device_id: 'DEVICE' },
      delay_id: delayIdOf(number),
      delay_timeout: DELAY_MS,
    }),
  })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { jwt: string }).jwt
}

function delayIdOf(number: number): string {
  return `delay-of-${number}`
}

/** Joins again and again while the connection before is still there. */
async function reconnect({ livekit }: Call, token: string, times: number) {
  let connection: LiveKitParticipant = await joinLiveKit(livekit.url, token)
  for (let count = 0; count < times; count += 1) {
    await Bun.sleep(100 + 300 * Math.random())
    const next = await joinLiveKit(livekit.url, token)
    await connection.disconnect()
    connection = next
  }
  return connection
}

async function expectNoFalseLeaves(call: Call, reconnects: number): Promise<void> {
  const { events, service } = call
  const numbers = Array.from({ length: PARTICIPANTS }, (_, number) => number)
  const connections = await Promise.all(
    numbers.map(async (number) => {
      const token = await delegate(call, number)
      return resources.use(await reconnect(call, token, reconnects / PARTICIPANTS))
    }),
  )
  await Bun.sleep(WATCH_MS)
  expect(events.calls('send')).toEqual([])
  // Otherwise the test has tried nothing.
  const replaced = service.output().split('"event":"participant_left"').length - 1
  const aborted = service.output().split('"event":"participant_connection_aborted"').length - 1
  expect(replaced + aborted).toBeGreaterThanOrEqual(reconnects * 0.9)

  await Promise.all(connections.map((connection) => connection.leave()))
  for (const number of numbers) {
    const sent = await eventually(10_000, () => events.sent(delayIdOf(number)))
    expect(sent.by).toBe('service')
  }
  expect(events.calls('send')).toHaveLength(PARTICIPANTS)
}

test('announces no leave over 200 reconnections', async () => {
  await expectNoFalseLeaves(await startCall(), 200)
}, 120_000)

test('announces no leave over 200 reconnections when LiveKit uses Redis, as clusters do', async () => {
  const redis = resources.use(await startRedis())
  await expectNoFalseLeaves(await startCall(`127.0.0.1:${redis.port}`), 100)
}, 120_000)
