import { afterAll, beforeAll, expect, test } from 'bun:test'
import { decodeJwt } from 'jose'
import { until } from '../support/until.ts'
import { announceInNewRoom } from './support/call-membership.ts'
import { type CallParticipant, joinCall, startClient } from './support/call-participant.ts'
import { expectToLeave, expectToStay, wholeLife } from './support/delegated-call.ts'
import { runDoctor } from './support/doctor.ts'
import {
  type FederatedSite,
  type FederatedSites,
  startFederatedSites,
} from './support/federated-sites.ts'
import { joinLiveKit } from './support/livekit-client.ts'
import { logInNewUser, type MatrixClient } from './support/matrix-client.ts'
import {
  type Call,
  callBody,
  delegateLeave,
  getRtcToken,
  participantOf,
  requestFederatedToken,
  requestRtcToken,
  rtcPath,
} from './support/rtc-requests.ts'

const startTimeoutMs = 180_000
const membershipCheckSeconds = 5
/** Who has left the Matrix room is off the SFU by then. */
const removedWithinMs = membershipCheckSeconds * 1_000 + 2_000
/** Less than the interval: noticed by the join itself. */
const noticedWithinMs = 2_000
const delayMs = 8_000
const pastDelayMs = 11_000
const leftWithinMs = 2_000

let stage: FederatedSites
let home: FederatedSite
let away: FederatedSite
/** Two users of the first site, and one of the second. */
let alice: MatrixClient
let bob: MatrixClient
let carol: MatrixClient

beforeAll(async () => {
  stage = await startFederatedSites({ names: ['home', 'away'], membershipCheckSeconds })
  ;[home, away] = stage.sites
  ;[alice, bob, carol] = await Promise.all([
    logInNewUser(home.synapse, 'alice', 'ALICE'),
    logInNewUser(home.synapse, 'bob', 'BOB'),
    logInNewUser(away.synapse, 'carol', 'CAROL'),
  ])
}, startTimeoutMs)

afterAll(() => stage?.[Symbol.asyncDispose](), startTimeoutMs)

/** A call of alice and others, each in the Matrix room, on the SFU of the first site. */
async function startCall(...others: readonly MatrixClient[]): Promise<Call> {
  const roomId = await alice.createRoom('public_chat')
  await Promise.all(others.map((user) => user.joinRoom(roomId, home.serverName)))
  return { roomId, sfu: home }
}

function joinWith(token: string): Promise<CallParticipant> {
  return joinCall(home.livekit.url, token, home.directory)
}

/**
 * Expects that a user who has been put out is put out again as soon as the SFU reports the join; even
 * before that, when somebody else's join or the interval makes the service look.
 */
async function expectToBeRemovedAtJoin(user: MatrixClient, call: Call, token: string) {
  const participant = participantOf(user, call)
  const { webhooks } = home
  const isRemoved = () => webhooks.departures(participant).length > 1
  await using _ = startClient(home.livekit.url, token, home.directory)
  await until(() => webhooks.joins(participant) > 1 || isRemoved())
  await until(isRemoved, noticedWithinMs)
  expect(new Set(webhooks.departures(participant))).toEqual(new Set(['PARTICIPANT_REMOVED']))
}

const forbidden = { status: 403, body: { errcode: 'M_FORBIDDEN' } }

test.concurrent('a local user gets a token through the homeserver, and joins with it', async () => {
  const call = await startCall()
  expect(await alice.call('GET', 'unstable/org.matrix.msc4143/rtc/transports')).toEqual({
    rtc_transports: [{ type: 'livekit', url: home.livekit.url }],
  })
  const { status, body } = await alice.request('POST', `${rtcPath}/get_token`, callBody(call))
  expect(status).toBe(200)
  const token = String(body.jwt)
  const { room, identity } = participantOf(alice, call)
  expect(decodeJwt(token)).toMatchObject({
    iss: home.livekit.apiKey,
    sub: identity,
    video: { room, roomJoin: true, roomCreate: false, canPublish: true, canSubscribe: true },
  })
  await using joined = await joinLiveKit(home.livekit.url, token)
  expect(joined.join.room?.name).toBe(room)
  expect(joined.join.participant?.identity).toBe(identity)
})

test.concurrent('a user of another server gets a token through both, and can only listen', async () => {
  const call = await startCall(carol)
  const token = await getRtcToken(carol, call)
  const { room, identity } = participantOf(carol, call)
  expect(decodeJwt(token)).toMatchObject({
    iss: home.livekit.apiKey,
    sub: identity,
    video: { room, roomJoin: true, roomCreate: false, canPublish: false, canSubscribe: true },
  })
  await using listener = await joinWith(token)
  await using speaker = await joinWith(await getRtcToken(alice, call))
  expect(await speaker.publish()).toBe(true)
  await listener.untilReceiving(participantOf(alice, call).identity)
  expect(await listener.publish()).toBe(false)
})

test.concurrent('users and servers that are not in the room are refused', async () => {
  const atHome = await startCall()
  const atAway = { ...atHome, sfu: away }
  expect(await requestRtcToken(bob, atHome)).toMatchObject(forbidden)
  expect(await requestRtcToken(bob, atAway)).toMatchObject(forbidden)
  expect(await requestRtcToken(carol, atHome)).toMatchObject(forbidden)
  expect(await requestRtcToken(carol, atAway)).toMatchObject(forbidden)
  // Alice is in the room, the server of this SFU is not.
  expect(await requestRtcToken(alice, atAway)).toMatchObject(forbidden)
})

test.concurrent('the site of the SFU does not rely on what another one says', async () => {
  const withoutCarol = await startCall()
  expect(await requestFederatedToken(away, withoutCarol, carol.userId)).toMatchObject(forbidden)
  const withCarol = await startCall(carol)
  expect(await requestFederatedToken(away, withCarol, alice.userId)).toMatchObject(forbidden)
  expect((await requestFederatedToken(away, withCarol, carol.userId)).status).toBe(200)
})

test.concurrent('users who are kicked lose the SFU, and do not get back with their tokens', async () => {
  const call = await startCall(bob, carol)
  await using connections = new AsyncDisposableStack()
  async function enter(user: MatrixClient) {
    const token = await getRtcToken(user, call)
    const connection = connections.use(await joinWith(token))
    await until(() => home.webhooks.joins(participantOf(user, call)) > 0)
    return { user, token, connection }
  }
  const [staying, ...leaving] = await Promise.all([alice, bob, carol].map(enter))
  const kick = `v3/rooms/${encodeURIComponent(call.roomId)}/kick`
  const departures = leaving.map(async ({ user, token, connection }) => {
    await alice.call('POST', kick, { user_id: user.userId })
    expect(await connection.untilDisconnected(removedWithinMs)).toBe('PARTICIPANT_REMOVED')
    await expectToBeRemovedAtJoin(user, call, token)
    expect(await requestRtcToken(user, call)).toMatchObject(forbidden)
  })
  await Promise.all(departures)
  expect(await staying?.connection.isConnected()).toBe(true)
})

test.concurrent('the call ends when the last user of the homeserver has left the room', async () => {
  const call = await startCall(carol)
  const token = await getRtcToken(carol, call)
  await using participant = await joinWith(token)
  await alice.call('POST', `v3/rooms/${encodeURIComponent(call.roomId)}/leave`, {})

  expect(await participant.untilDisconnected(removedWithinMs)).toBe('ROOM_DELETED')
  await expect(joinLiveKit(home.livekit.url, token)).rejects.toMatchObject({ status: 404 })
  expect(await requestRtcToken(carol, call)).toMatchObject(forbidden)
})

test.concurrent('a leave handed over through the homeserver is sent when the user leaves', async () => {
  const membership = await announceInNewRoom(alice)
  const call = { roomId: membership.roomId, sfu: home }
  const delayId = await membership.scheduleLeave(delayMs)
  await using participant = await joinWith(await getRtcToken(alice, call))
  expect(await delegateLeave(alice, call, delayId)).toEqual({ status: 200, body: {} })

  const leave = { membership, delayId }
  await expectToStay(leave, pastDelayMs)
  await Promise.all([participant.leave(), expectToLeave(leave, leftWithinMs)])
  expect(await wholeLife(home.service)).toMatchObject([
    { to: 'waiting' },
    { to: 'connected' },
    { to: 'leaving' },
    { to: 'finished', cause: 'sent' },
  ])
})

test.concurrent('the service believes its own homeserver alone', async () => {
  const call = await startCall()
  function ask(token: string) {
    return home.service.post(`/_matrix/client/${rtcPath}/get_token`, callBody(call), {
      Authorization: `Bearer ${token}`,
      'X-Matrix-User-Identifier': alice.userId,
    })
  }
  const unknown = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } }
  expect(await ask('nonsense')).toMatchObject(unknown)
  expect(await ask(away.registration.hsToken)).toMatchObject(unknown)
  expect(await ask(home.registration.asToken)).toMatchObject(unknown)
  expect((await ask(home.registration.hsToken)).status).toBe(200)
})

test('the doctor finds what the homeserver lets its application service do', async () => {
  const { serverName, directory, settings } = home
  const { findings } = await runDoctor({ directory, hosts: {}, settings, args: [serverName] })
  // The service reaches its homeserver by an override, and does not know the site's authority.
  expect(findings.flatMap(({ code }) => code ?? [])).toEqual(['federation.certificate-untrusted'])
  const found = (step: string) =>
    findings.filter((each) => each.step === step).map((each) => each.found)
  expect(found('homeserver')).toEqual([
    expect.stringMatching(/^it knows the as_token, as that of @/),
    'it tells the service who is in a room',
    'it passes requests of clients on to the service, with the right hs_token',
  ])
  expect(found('transports')).toEqual([`the homeserver announces ${home.livekit.url}`])
})
