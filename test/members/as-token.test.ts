import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestApp } from '../support/app.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import {
  ALICE,
  BOB,
  type CallStage,
  CLIENT_LEAVE,
  CLIENT_TOKEN,
  ENDPOINTS,
  FEDERATED_TOKEN,
  headersOf,
  MATRIX_ROOM,
  post,
  startCallStage,
} from '../support/member-calls.ts'
import { AS_TOKEN, HS_TOKEN } from '../support/member-stage.ts'
import { until } from '../support/until.ts'
import type { WireRequest } from '../support/wire-server.ts'

let stage: CallStage
/** Another homeserver, `other.example`, to which nothing of ours may go. */
let other: Homeserver
let directory = ''

beforeAll(async () => {
  stage = await startCallStage()
  other = await startHomeserver({ serverName: 'other.example' })
  directory = await mkdtemp(join(tmpdir(), 'test-as-token-'))
})
beforeEach(() => {
  stage.reset()
  other.restore()
  other.requests.length = 0
  stage.sfu.httpRequests.length = 0
  stage.api.join(MATRIX_ROOM, ALICE, BOB)
  const event = { userId: ALICE, roomId: MATRIX_ROOM, delayMs: 60_000 }
  stage.api.scheduled.set('syd_1', event)
  for (const server of [stage.homeserver, other]) {
    for (const id of ['syd_1', 'syd_2']) server.scheduleDelayedEvent(id)
  }
})
afterEach(() => {
  const others = [...other.requests, ...stage.sfu.httpRequests]
  expect(others.filter((request) => holds(request, AS_TOKEN, HS_TOKEN))).toEqual([])
  expect(stage.homeserver.requests.filter((request) => holds(request, HS_TOKEN))).toEqual([])
})
afterAll(async () => {
  await Promise.all([stage.close(), other.close(), rm(directory, { recursive: true, force: true })])
})

function holds(request: WireRequest, ...secrets: readonly string[]): boolean {
  const { path, query, headers, body } = request
  const text = [path, query, JSON.stringify([...headers]), new TextDecoder().decode(body)].join(
    '\n',
  )
  return secrets.some((secret) => text.includes(secret))
}

/** The paths of the homeserver's requests, the secret ones and the others. */
function pathsAtHomeserver() {
  const { requests } = stage.homeserver
  const secret = requests.filter((request) => holds(request, AS_TOKEN)).map(({ path }) => path)
  const open = requests.filter((request) => !holds(request, AS_TOKEN)).map(({ path }) => path)
  return { secret: [...new Set(secret)], open: [...new Set(open)] }
}

const FED_PROXY = '/_matrix/client/unstable/io.element.msc4512/appservice/fed_proxy'
const IS_JOINED = '/_matrix/client/unstable/io.element.msc4502/rooms/!roomid/is_joined'
const EVENT = '/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_1'

const RELAYED = { ...CLIENT_TOKEN.body, server_name: 'other.example' }

describe('redirects of our own homeserver are not followed', () => {
  test.each([301, 302, 303, 307, 308])('with status %d', async (status) => {
    const redirect = { kind: 'redirect', status, location: `${other.url}/x` } as const
    const cases = [
      [CLIENT_TOKEN, CLIENT_TOKEN.body, IS_JOINED, 502],
      [FEDERATED_TOKEN, FEDERATED_TOKEN.body, IS_JOINED, 502],
      [CLIENT_TOKEN, RELAYED, FED_PROXY, 502],
      [CLIENT_LEAVE, CLIENT_LEAVE.body, EVENT, 503],
    ] as const
    for (const [endpoint, body, path, expected] of cases) {
      stage.homeserver.restore()
      stage.homeserver.respond(path, redirect)
      expect((await stage.call(endpoint, body)).status).toBe(expected)
    }
    expect(other.connections()).toBe(0)
  })

  test('neither are those of a restart', async () => {
    const path = `${EVENT}/restart`
    stage.homeserver.respond(path, { kind: 'redirect', status: 307, location: `${other.url}/x` })
    const body = { ...CLIENT_LEAVE.body, member_id: 'redirected' }
    // Of its own, since it tries again until it is closed.
    const app = await stage.startReplica()
    const response = await post(app, CLIENT_LEAVE.path, body, headersOf(CLIENT_LEAVE))
    expect(response.status).toBe(200)
    const { room, identity } = await accepted(app)
    await connect(app, String(room), String(identity))
    await until(() => stage.homeserver.delayedEventCalls.length > 0)
    expect(other.connections()).toBe(0)
    await app.close()
  })
})

/** The log line of the delegation that was accepted last. */
function accepted(app: TestApp) {
  return until(() => app.log.findLast(({ cause }) => cause === 'accepted'))
}

function connect(app: TestApp, room: string, identity: string): Promise<Response> {
  stage.sfu.addParticipant(room, identity)
  return stage.sfu.sendWebhook(`${app.url}/sfu_webhook`, {
    event: 'participant_joined',
    room: { name: room },
    participant: { identity, sid: 'PA_1' },
  })
}

async function delegateStandalone(app: TestApp, server: Homeserver, user: string) {
  const response = await app.post('/delegate_delayed_leave', {
    room_id: MATRIX_ROOM,
    slot_id: 'slot1234',
    openid_token: {
      access_token: server.issueOpenIdToken(user),
      matrix_server_name: server.serverName,
    },
    member: { id: 'memberABC', claimed_user_id: user, claimed_device_id: 'DEVICE123' },
    delay_id: 'syd_2',
    delay_timeout: 60_000,
  })
  expect(response.status).toBe(200)
}

function overrides() {
  const both = `example.com=${stage.homeserver.url},other.example=${other.url}`
  return { LIVEKIT_FEDERATION_URL_OVERRIDES: both, LIVEKIT_CS_API_URL_OVERRIDES: both }
}

test('acts as the service for delegations of this mode alone, also after a restart', async () => {
  const state = join(directory, 'state.sqlite')
  const env = { ...overrides(), LIVEKIT_STATE_FILE: state }
  const before = await stage.startReplica({ env })
  await post(before, CLIENT_LEAVE.path, CLIENT_LEAVE.body, headersOf(CLIENT_LEAVE))
  await delegateStandalone(before, stage.homeserver, ALICE)
  await delegateStandalone(before, other, BOB)
  const delegations = before.log.filter(({ cause }) => cause === 'accepted')
  expect(delegations).toHaveLength(3)
  await before.close()
  for (const name of await readdir(directory)) {
    const content = await readFile(join(directory, name), 'latin1')
    for (const secret of [AS_TOKEN, HS_TOKEN]) expect(content).not.toContain(secret)
  }

  const after = await stage.startReplica({ env })
  for (const { room, identity } of delegations) await connect(after, String(room), String(identity))
  await until(() => stage.homeserver.delayedEventCalls.length === 2)
  const calls = stage.homeserver.delayedEventCalls.map(({ delayId, authorization, userId }) => {
    return { delayId, authorization, userId }
  })
  expect(calls.toSorted((a, b) => a.delayId.localeCompare(b.delayId))).toEqual([
    { delayId: 'syd_1', authorization: `Bearer ${AS_TOKEN}`, userId: ALICE },
    { delayId: 'syd_2', authorization: null, userId: null },
  ])
  const [call] = await until(() => other.delayedEventCalls.length > 0 && other.delayedEventCalls)
  expect([call?.delayId, call?.authorization, call?.userId]).toEqual(['syd_2', null, null])
})

test('shows each token to whom it is for, and to nobody else', async () => {
  const app = await stage.startReplica({ env: overrides() })
  const answers: string[] = []
  const bodies: readonly unknown[] = [CLIENT_TOKEN.body, RELAYED, FEDERATED_TOKEN.body, {}, '{']
  for (const endpoint of ENDPOINTS) {
    for (const body of [endpoint.body, ...bodies]) {
      for (const token of [HS_TOKEN, AS_TOKEN]) {
        const headers = { ...headersOf(endpoint), Authorization: `Bearer ${token}` }
        const response = await post(app, `${endpoint.path}?access_token=${AS_TOKEN}`, body, headers)
        answers.push(JSON.stringify([...response.headers]), await response.text())
      }
    }
  }
  await delegateStandalone(app, other, BOB)
  const document = await fetch(`${app.url}/swagger/json`)
  answers.push(await document.text(), JSON.stringify(app.log), JSON.stringify(stage.app.log))
  for (const secret of [AS_TOKEN, HS_TOKEN]) expect(answers.join('\n')).not.toContain(secret)
  expect(pathsAtHomeserver()).toEqual({
    secret: [IS_JOINED, FED_PROXY, EVENT],
    open: ['/_matrix/client/versions'],
  })
  expect(other.requests.length).toBeGreaterThan(0)
  expect(stage.created().length).toBeGreaterThan(0)
})
