import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { freePort } from '../support/free-port.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { announceInNewRoom } from './support/call-membership.ts'
import { type CallParticipant, joinCall } from './support/call-participant.ts'
import {
  expectToLeave,
  expectToStay,
  requestToken,
  scheduleCall,
  scheduleLeave,
  untilAccepted,
  untilConnected,
  wholeLife,
} from './support/delegated-call.ts'
import { joinLiveKit } from './support/livekit-client.ts'
import { logInNewUser, type MatrixClient } from './support/matrix-client.ts'
import { type Site, startSite } from './support/site.ts'
import { currentBody } from './support/token-requests.ts'

const startTimeoutMs = 180_000

const delayMs = 10_000
const pastDelayMs = 14_000
/** Long enough that the homeserver's own timer does not fire. */
const longDelayMs = 60_000
const leftWithinMs = 2_000
/**
 * What a killed instance was about to do is due again after 4 % of the delay; without a webhook the
 * SFU is then asked twice, 2 s apart.
 */
const missedWithinMs = 8_000

/** Where LiveKit sends its webhooks, by the instance of the service that listens there. */
const ports = { file: 0, first: 0, second: 0, dying: 0, later: 0, crash: 0, signalling: 0 }
type Instance = keyof typeof ports

let site: Site
let alice: MatrixClient

beforeAll(async () => {
  for (const name of Object.keys(ports) as Instance[]) ports[name] = freePort('127.0.0.1')
  const webhookUrls = Object.values(ports).map((port) => `http://127.0.0.1:${port}/sfu_webhook`)
  site = await startSite({ webhookUrls })
  alice = await logInNewUser(site.synapse, 'alice', 'DEVICE123')
}, startTimeoutMs)

afterAll(() => site?.[Symbol.asyncDispose](), startTimeoutMs)

/** Starts an instance; without a port that LiveKit knows, it has to find out by itself. */
function start(name: string, settings: Readonly<Record<string, string>> = {}, port?: number) {
  return site.startService({
    name,
    settings: {
      LIVEKIT_FULL_ACCESS_HOMESERVERS: '*',
      LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.0/8',
      ...settings,
    },
    ...(port !== undefined && { port }),
  })
}

function joinWith(token: string): Promise<CallParticipant> {
  return joinCall(site.livekit.url, token, site.directory)
}

/** Expects that the service sent the leave, not the homeserver's own timer. */
const sentByTheService = [
  { to: 'waiting' },
  { to: 'connected' },
  { to: 'leaving' },
  { to: 'finished', cause: 'sent' },
]

test.concurrent('a service with a state file survives two kills, and announces departures', async () => {
  const settings = { LIVEKIT_STATE_FILE: join(site.directory, 'killed.db') }
  const accepting = await start('accepting', settings, ports.file)
  const call = await scheduleCall(alice, delayMs)
  const token = await requestToken(accepting, call.body)
  await untilAccepted(accepting)
  await accepting.process.kill()

  const connecting = await start('connecting', settings, ports.file)
  await using participant = await joinWith(token)
  await untilConnected(connecting)
  await connecting.process.kill()

  const sending = await start('sending', settings, ports.file)
  await expectToStay(call, pastDelayMs)
  await Promise.all([participant.leave(), expectToLeave(call, leftWithinMs)])
  expect(await wholeLife(accepting, connecting, sending)).toMatchObject(sentByTheService)
})

test.concurrent('a departure while no service runs is announced once it is back', async () => {
  const settings = { LIVEKIT_STATE_FILE: join(site.directory, 'away.db') }
  const before = await start('before', settings)
  const call = await scheduleCall(alice, longDelayMs)
  await using participant = await joinWith(await requestToken(before, call.body))
  await untilConnected(before)
  await before.process.kill()

  await participant.leave()
  await expectToStay(call, 1_000)
  const after = await start('after', settings)
  await expectToLeave(call, missedWithinMs)
  expect(await wholeLife(before, after)).toMatchObject(sentByTheService)
})

test.concurrent('of two replicas each is killed in turn, and the other announces departures', async () => {
  await using redis = await startRedisServer()
  const settings = { LIVEKIT_REDIS_URL: redis.url }
  const first = await start('first', settings, ports.first)
  const second = await start('second', settings, ports.second)
  const call = await scheduleCall(alice, delayMs)
  await using participant = await joinWith(await requestToken(first, call.body))
  await untilConnected(first, second)

  await first.process.kill()
  await expectToStay(call, pastDelayMs)
  const third = await start('third', settings, ports.first)
  await second.process.kill()
  await expectToStay(call, pastDelayMs)
  await Promise.all([participant.leave(), expectToLeave(call, leftWithinMs)])
  expect(await wholeLife(first, second, third)).toMatchObject(sentByTheService)
})

test.concurrent('another replica replaces the only one that gets webhooks', async () => {
  await using redis = await startRedisServer()
  const settings = { LIVEKIT_REDIS_URL: redis.url, LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: '1' }
  const dying = await start('dying', settings, ports.dying)
  const deaf = await start('deaf', settings)
  const call = await scheduleCall(alice, delayMs)
  await using participant = await joinWith(await requestToken(dying, call.body))
  await untilConnected(dying, deaf)
  await dying.process.kill()

  await expectToStay(call, pastDelayMs)
  await Promise.all([participant.leave(), expectToLeave(call, 2 * leftWithinMs)])
  expect(await wholeLife(dying, deaf)).toMatchObject(sentByTheService)
})

test.concurrent('a participant who is already in the call can hand over the leave', async () => {
  const service = await start('later', {}, ports.later)
  const membership = await announceInNewRoom(alice)
  const body = currentBody(alice, membership.roomId, await alice.requestOpenIdToken())
  await using participant = await joinWith(await requestToken(service, body))
  const call = await scheduleLeave(alice, membership, delayMs)
  const answer = await service.post('/delegate_delayed_leave', call.body)
  expect(answer).toEqual({ status: 200, body: {} })

  await expectToStay(call, pastDelayMs)
  await Promise.all([participant.leave(), expectToLeave(call, leftWithinMs)])
  expect(await wholeLife(service)).toMatchObject(sentByTheService)
})

test.concurrent('announces a client that never joins once its delay is over', async () => {
  const service = await start('vain')
  const shortDelayMs = 3_000
  const call = await scheduleCall(alice, shortDelayMs)
  await requestToken(service, call.body)
  await expectToLeave(call, shortDelayMs + 2 * leftWithinMs)
  expect(await wholeLife(service)).toMatchObject([
    { to: 'waiting' },
    { to: 'leaving', cause: 'the wait ran out' },
    { to: 'finished' },
  ])
})

test.concurrent('announces a crashed client once LiveKit gives it up', async () => {
  const service = await start('crash', {}, ports.crash)
  const call = await scheduleCall(alice, delayMs)
  await using participant = await joinWith(await requestToken(service, call.body))
  await untilConnected(service)

  await participant.crash()
  const liveKitGivesUpWithinMs = 40_000
  await expectToLeave(call, liveKitGivesUpWithinMs + leftWithinMs)
  expect(await wholeLife(service)).toMatchObject(sentByTheService)
})

test.concurrent('announces a client without media when it hangs up', async () => {
  const service = await start('signalling', {}, ports.signalling)
  const call = await scheduleCall(alice, delayMs)
  const token = await requestToken(service, call.body)
  await using participant = await joinLiveKit(site.livekit.url, token)
  await untilConnected(service)

  await expectToStay(call, pastDelayMs)
  await Promise.all([participant.leave(), expectToLeave(call, leftWithinMs)])
  expect(await wholeLife(service)).toMatchObject(sentByTheService)
})
