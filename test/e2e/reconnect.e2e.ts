import { expect, test } from 'bun:test'
import { addDelayedEvents } from '../faults/support/delayed-events.ts'
import { freePort } from '../support/free-port.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { joinCall } from './support/call-participant.ts'
import { requestToken } from './support/delegated-call.ts'
import { type LiveKitOptions, startLiveKit } from './support/livekit.ts'
import { startService } from './support/service.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'
import { logWebhooks } from './support/webhook-log.ts'

const serverName = 'matrix.test'
const participants = 10
const delayMs = 60_000
/** Reconnects come at any distance up to this, so that looks of the service fall in between. */
const longestPauseMs = 2_500
/** An absence that is seen in the last reconnects would be confirmed and announced by then. */
const quietMs = 6_000
const leftWithinMs = 3_000

/** A stage with real LiveKit, and a homeserver that notes what the service sends. */
async function startStage(options: Pick<LiveKitOptions, 'redisAddress'>) {
  await using started = new AsyncDisposableStack()
  const { path: directory } = started.use(await createTemporaryDirectory('e2e-reconnect'))
  const homeserver = started.use(await startHomeserver({ serverName }))
  const events = addDelayedEvents(homeserver)
  started.defer(events.close)
  const webhooks = started.use(logWebhooks())
  const port = freePort('127.0.0.1')
  const webhookUrls = [`http://127.0.0.1:${port}/sfu_webhook`, webhooks.url]
  const livekit = started.use(await startLiveKit({ directory, webhookUrls, ...options }))
  const place = `${serverName}=${homeserver.url}`
  const settings = {
    LIVEKIT_URL: livekit.url,
    LIVEKIT_KEY: livekit.apiKey,
    LIVEKIT_SECRET: livekit.apiSecret,
    LIVEKIT_FULL_ACCESS_HOMESERVERS: serverName,
    LIVEKIT_FEDERATION_URL_OVERRIDES: place,
    LIVEKIT_CS_API_URL_OVERRIDES: place,
    LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: '1',
  }
  const service = started.use(
    await startService({ name: 'service', directory, settings, hosts: {}, port }),
  )

  /** Hands over the scheduled leave of a user, and joins the call with the token. */
  async function join(name: string) {
    const userId = `@${name}:${serverName}`
    events.schedule(name, delayMs)
    const token = await requestToken(service, {
      room_id: `!room:${serverName}`,
      slot_id: 'm.call#ROOM',
      openid_token: {
        access_token: homeserver.issueOpenIdToken(userId),
        token_type: 'Bearer',
        matrix_server_name: serverName,
        expires_in: 3600,
      },
      member: { id: name, claimed_user_id: userId, claimed_device_id: 'DEVICE' },
      delay_id: name,
      delay_timeout: delayMs,
    })
    return owned.use(await joinCall(livekit.url, token, directory))
  }

  const owned = started.move()
  return { events, webhooks, join, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Participants reconnect so many times in all, then hang up; nobody is announced before that. */
async function reconnectAndLeave(
  reconnects: number,
  options: Pick<LiveKitOptions, 'redisAddress'> = {},
): Promise<void> {
  await using stage = await startStage(options)
  const { events, webhooks } = stage
  const names = Array.from({ length: participants }, (_, index) => `user${index}`)
  const joined = await Promise.all(names.map(stage.join))

  await Promise.all(
    joined.map(async (participant) => {
      for (let count = 0; count < reconnects / participants; count += 1) {
        await Bun.sleep(Math.random() * longestPauseMs)
        await participant.reconnect()
      }
    }),
  )
  await Bun.sleep(quietMs)
  expect(webhooks.replaced()).toBe(reconnects)
  expect(names.filter((name) => events.sent(name) !== undefined)).toEqual([])

  await Promise.all(joined.map((participant) => participant.leave()))
  const allLeft = async () => names.every((name) => events.sent(name) !== undefined)
  await until(allLeft, leftWithinMs)
  expect(
    events
      .calls('send')
      .map(({ delayId }) => delayId)
      .sort(),
  ).toEqual(names)
}

test('nobody is announced as left in 200 reconnects to a single LiveKit', () =>
  reconnectAndLeave(200))

test('nobody is announced as left in 100 reconnects to a LiveKit on Redis', async () => {
  await using redis = await startRedisServer()
  await reconnectAndLeave(100, { redisAddress: `127.0.0.1:${redis.port}` })
})
