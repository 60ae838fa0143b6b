import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import { findClosedPort } from '../support/dead-end.ts'
import {
  ALICE,
  answerOf,
  type CallStage,
  CLIENT_LEAVE,
  headersOf,
  MATRIX_ROOM,
  post,
  startCallStage,
} from '../support/member-calls.ts'
import { AS_TOKEN } from '../support/member-stage.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'

let stage: CallStage

beforeAll(async () => {
  stage = await startCallStage({ tuning: { clientApiTimeoutMs: 1_000 } })
})
beforeEach(() => stage.reset())
afterAll(() => stage.close())

/** Of `["!roomid","slot1234"]` and `["@alice:example.com","memberXYZ"]`. */
const ROOM = 't7m/H7f8iicv62AcYbKTFpGjWoaE8XiS1Xf+EA0ejWs'
const IDENTITY = '4gAK67l+4qkJ1+DuqYlmbWG/a0LmbjplpbhmRt0psPY'
const EVENT = '/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_1'
const STABLE_EVENT = '/_matrix/client/v1/delayed_events/syd_1'
const NO_SUCH_EVENT = {
  status: 400,
  errcode: 'M_INVALID_PARAM',
  error: 'The field "delay_id" is no delayed event of the user in the room.',
}
const UNAVAILABLE = {
  status: 503,
  errcode: 'M_UNKNOWN',
  error: 'The delayed event could not be asked for.',
}
const UNRECOGNIZED = reply(404, { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' })

function schedule(delayMs = 60_000, more: object = {}): void {
  const event = { userId: ALICE, roomId: MATRIX_ROOM, delayMs, ...more }
  stage.api.scheduled.set('syd_1', event)
  stage.homeserver.scheduleDelayedEvent('syd_1')
}

function callAt(app: TestApp) {
  return answerOf(post(app, CLIENT_LEAVE.path, CLIENT_LEAVE.body, headersOf(CLIENT_LEAVE)))
}

function acceptedAt(app: TestApp): number {
  return app.log.filter(({ cause }) => cause === 'accepted').length
}

describe('the delayed event', () => {
  test('is asked for as the user, with the token of the service', async () => {
    schedule()
    expect(await stage.call(CLIENT_LEAVE)).toEqual({ status: 200 })
    const [request] = stage.homeserver.requests.filter(({ path }) => path === EVENT)
    expect(request?.method).toBe('GET')
    expect([...(request?.query ?? [])]).toEqual([['user_id', ALICE]])
    expect(request?.headers.get('authorization')).toBe(`Bearer ${AS_TOKEN}`)
    expect(stage.created()).toEqual([])
  })

  test.each<[string, Answer, object]>([
    ['with delay_ms', reply(200, { delay_ms: 60_000, room_id: MATRIX_ROOM }), { status: 200 }],
    ['with delay', reply(200, { delay: 60_000, room_id: MATRIX_ROOM }), { status: 200 }],
    ['of another room', reply(200, { delay_ms: 60_000, room_id: '!other' }), NO_SUCH_EVENT],
    ['that is unknown', reply(404, { errcode: 'M_NOT_FOUND', error: 'theirs' }), NO_SUCH_EVENT],
    ['that is unknown, without a code', reply(404), NO_SUCH_EVENT],
    ['without a room', reply(200, { delay_ms: 60_000 }), UNAVAILABLE],
    ['with no text for a room', reply(200, { delay_ms: 60_000, room_id: 7 }), UNAVAILABLE],
    ['without a delay', reply(200, { room_id: MATRIX_ROOM }), UNAVAILABLE],
    ['with a text', reply(200, { delay_ms: '60000', room_id: MATRIX_ROOM }), UNAVAILABLE],
    ['with no delay at all', reply(200, { delay_ms: 0, room_id: MATRIX_ROOM }), UNAVAILABLE],
    ['with less', reply(200, { delay: -1, room_id: MATRIX_ROOM }), UNAVAILABLE],
    ['that is refused', reply(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'x' }), UNAVAILABLE],
    ['that is forbidden', reply(403, { errcode: 'M_FORBIDDEN', error: 'x' }), UNAVAILABLE],
    ['that is limited', reply(429, { errcode: 'M_LIMIT_EXCEEDED' }), UNAVAILABLE],
    ['that fails', reply(500), UNAVAILABLE],
    ['that is not JSON', { kind: 'invalid-json' }, UNAVAILABLE],
    ['that closes the connection', { kind: 'close' }, UNAVAILABLE],
    ['that never comes', { kind: 'hang' }, UNAVAILABLE],
    ['that redirects', { kind: 'redirect', location: '/elsewhere' }, UNAVAILABLE],
  ])('in an answer %s', async (_, answer, expected) => {
    const before = acceptedAt(stage.app)
    stage.homeserver.respond(EVENT, answer)
    expect(await stage.call(CLIENT_LEAVE)).toEqual(expected as { status: number })
    expect(acceptedAt(stage.app) - before).toBe('errcode' in expected ? 0 : 1)
  })

  test('is not found when it is another user’s', async () => {
    schedule(60_000, { userId: '@eve:example.com' })
    expect(await stage.call(CLIENT_LEAVE)).toEqual(NO_SUCH_EVENT)
  })

  test('is asked for under the other prefix where the first is unknown', async () => {
    stage.homeserver.respond(EVENT, UNRECOGNIZED)
    stage.homeserver.respond(STABLE_EVENT, reply(200, { delay_ms: 60_000, room_id: MATRIX_ROOM }))
    const app = await stage.startReplica()
    expect(await callAt(app)).toEqual({ status: 200 })
    stage.homeserver.respond(STABLE_EVENT, UNRECOGNIZED)
    expect(await callAt(await stage.startReplica())).toEqual(UNAVAILABLE)
  })

  test('cannot be asked for while the homeserver is away', async () => {
    const nowhere = `http://127.0.0.1:${await findClosedPort()}`
    const env = { LIVEKIT_CS_API_URL_OVERRIDES: `example.com=${nowhere}` }
    expect(await callAt(await stage.startReplica({ env }))).toEqual(UNAVAILABLE)
  })
})

describe('the delegation', () => {
  async function join(app: TestApp): Promise<void> {
    stage.sfu.addParticipant(ROOM, IDENTITY)
    await webhook(app, 'participant_joined')
  }

  function webhook(app: TestApp, event: string): Promise<Response> {
    const participant = { identity: IDENTITY, sid: 'PA_1' }
    return stage.sfu.sendWebhook(`${app.url}/sfu_webhook`, {
      event,
      room: { name: ROOM },
      participant,
    })
  }

  test('goes by the delay of the homeserver, not by that of the client', async () => {
    schedule(3_000)
    const body = { ...CLIENT_LEAVE.body, member_id: 'memberXYZ', delay_timeout: 3_600_000 }
    expect(await stage.call(CLIENT_LEAVE, body)).toEqual({ status: 200 })
    await join(stage.app)
    // At once, and again after 80 % of the delay.
    await until(() => stage.homeserver.delayedEventCalls.length >= 2)
    const [first, second] = stage.homeserver.delayedEventCalls
    const pause = (second?.at ?? 0) - (first?.at ?? 0)
    expect(pause).toBeGreaterThan(2_000)
    expect(pause).toBeLessThan(6_000)
    stage.sfu.removeParticipant(ROOM, IDENTITY)
    await webhook(stage.app, 'participant_left')
    const sent = await until(() =>
      stage.homeserver.delayedEventCalls.find(({ action }) => action === 'send'),
    )
    for (const call of [first, second, sent]) {
      const expected = { authorization: `Bearer ${AS_TOKEN}`, userId: ALICE, delayId: 'syd_1' }
      expect(call).toMatchObject(expected)
    }
  })

  test('is refused to a user who has too many', async () => {
    const app = await stage.startReplica({ env: { LIVEKIT_MAX_DELEGATIONS_PER_USER: '1' } })
    schedule()
    expect(await callAt(app)).toEqual({ status: 200 })
    const more = { ...CLIENT_LEAVE.body, member_id: 'another' }
    const response = await post(app, CLIENT_LEAVE.path, more, headersOf(CLIENT_LEAVE))
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await answerOf(response)).toMatchObject({ status: 429, errcode: 'M_LIMIT_EXCEEDED' })
  })
})
