import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  ALICE,
  BOB,
  type CallStage,
  CLIENT_TOKEN,
  MATRIX_ROOM,
  startCallStage,
} from '../support/member-calls.ts'
import { AS_TOKEN } from '../support/member-stage.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'
import type { WireRequest } from '../support/wire-server.ts'

const RELAY = '/_matrix/client/unstable/io.element.msc4512/appservice/fed_proxy'
const UNSTABLE = '/_matrix/federation/unstable/io.element.msc4195/rtc/livekit/get_token'
const STABLE = '/_matrix/federation/v1/rtc/livekit/get_token'
const BODY = {
  ...CLIENT_TOKEN.body,
  url: 'wss://sfu.other.example',
  server_name: 'other.example',
  'org.example.more': 'secret of the client',
}

let stage: CallStage

beforeAll(async () => {
  stage = await startCallStage()
})
beforeEach(() => {
  stage.reset()
  stage.api.join(MATRIX_ROOM, ALICE, BOB)
})
afterAll(() => stage.close())

function relays(): readonly WireRequest[] {
  return stage.homeserver.requests.filter(({ path }) => path.endsWith('/fed_proxy'))
}

function bodyOf({ body }: WireRequest): Readonly<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode(body))
}

const NO_GOOD_ANSWER = {
  status: 502,
  errcode: 'M_UNKNOWN',
  error: 'The homeserver did not answer as expected.',
}
const FORBIDDEN = {
  status: 403,
  errcode: 'M_FORBIDDEN',
  error: 'The homeserver of the SFU refused the user.',
}
const INVALID = {
  status: 400,
  errcode: 'M_INVALID_PARAM',
  error: 'The homeserver of the SFU does not know the URL, or refused another parameter.',
}
const UNRECOGNIZED = { status: 404, content: { errcode: 'M_UNRECOGNIZED', error: 'theirs' } }

function error(errcode: string) {
  return { errcode, error: 'text of the other side', jwt: 'refused-token' }
}

test('passes exactly the five fields on, as the application service', async () => {
  stage.homeserver.respond(RELAY, reply(200, { status: 200, content: { jwt: 'theirs', url: 'x' } }))
  expect(await stage.call(CLIENT_TOKEN, BODY)).toEqual({ status: 200, jwt: 'theirs' })
  const [request, ...more] = relays()
  if (request === undefined) throw new Error()
  expect(more).toEqual([])
  expect([request.method, request.path, request.query.size]).toEqual(['POST', RELAY, 0])
  expect(request.headers.get('authorization')).toBe(`Bearer ${AS_TOKEN}`)
  expect(request.headers.get('content-type')).toBe('application/json')
  expect(bodyOf(request)).toEqual({
    destination: 'other.example',
    method: 'POST',
    path: UNSTABLE,
    body: {
      user_id: '@alice:example.com',
      url: 'wss://sfu.other.example',
      room_id: '!roomid',
      slot_id: 'slot1234',
      member_id: 'memberABC',
    },
  })
})

test('passes the member ID of the older form on as the newer', async () => {
  stage.homeserver.respond(RELAY, reply(200, { status: 200, content: { jwt: 'theirs' } }))
  const { member_id, ...rest } = BODY as Record<string, unknown>
  await stage.call(CLIENT_TOKEN, { ...rest, member: { id: member_id, claimed_device_id: 'D' } })
  const { body } = bodyOf(relays()[0] as WireRequest)
  expect(body).toMatchObject({ member_id: 'memberABC' })
  expect(body).not.toHaveProperty('member')
})

describe('an answer of the other homeserver', () => {
  test.each([
    ['a status without content', { status: 200 }, NO_GOOD_ANSWER],
    ['null content', { status: 200, content: null }, NO_GOOD_ANSWER],
    ['text', { status: 200, content: 'token' }, NO_GOOD_ANSWER],
    ['a list', { status: 200, content: ['jwt'] }, NO_GOOD_ANSWER],
    ['no jwt', { status: 200, content: { token: 'x' } }, NO_GOOD_ANSWER],
    ['an empty jwt', { status: 200, content: { jwt: '' } }, NO_GOOD_ANSWER],
    ['a jwt that is no text', { status: 200, content: { jwt: { a: 1 } } }, NO_GOOD_ANSWER],
    ['a jwt of null', { status: 200, content: { jwt: null } }, NO_GOOD_ANSWER],
    ['a jwt with another status', { status: 201, content: { jwt: 'x' } }, NO_GOOD_ANSWER],
    ['a jwt with a redirect', { status: 302, content: { jwt: 'x' } }, NO_GOOD_ANSWER],
    ['403 M_FORBIDDEN', { status: 403, content: error('M_FORBIDDEN') }, FORBIDDEN],
    ['403 otherwise', { status: 403, content: error('M_UNKNOWN') }, NO_GOOD_ANSWER],
    ['403 without content', { status: 403, content: null }, NO_GOOD_ANSWER],
    ['403 with text', { status: 403, content: 'M_FORBIDDEN' }, NO_GOOD_ANSWER],
    ['400 M_INVALID_PARAM', { status: 400, content: error('M_INVALID_PARAM') }, INVALID],
    ['400 otherwise', { status: 400, content: error('M_BAD_JSON') }, NO_GOOD_ANSWER],
    ['400 M_FORBIDDEN', { status: 400, content: error('M_FORBIDDEN') }, NO_GOOD_ANSWER],
    ['403 M_INVALID_PARAM', { status: 403, content: error('M_INVALID_PARAM') }, NO_GOOD_ANSWER],
    ['401', { status: 401, content: error('M_UNKNOWN_TOKEN') }, NO_GOOD_ANSWER],
    ['404 otherwise', { status: 404, content: error('M_NOT_FOUND') }, NO_GOOD_ANSWER],
    ['404 without content', { status: 404, content: null }, NO_GOOD_ANSWER],
    ['405 M_UNRECOGNIZED', { status: 405, content: error('M_UNRECOGNIZED') }, NO_GOOD_ANSWER],
    ['429', { status: 429, content: error('M_LIMIT_EXCEEDED') }, NO_GOOD_ANSWER],
    ['500', { status: 500, content: error('M_UNKNOWN') }, NO_GOOD_ANSWER],
    ['502', { status: 502, content: error('M_FORBIDDEN') }, NO_GOOD_ANSWER],
    ['no status', { content: { jwt: 'x' } }, NO_GOOD_ANSWER],
    ['a status that is no number', { status: '200', content: { jwt: 'x' } }, NO_GOOD_ANSWER],
  ])('with %s', async (_, relayed, expected) => {
    stage.homeserver.respond(RELAY, reply(200, relayed))
    const requestId = crypto.randomUUID()
    expect(await stage.call(CLIENT_TOKEN, BODY, { 'x-request-id': requestId })).toEqual(expected)
    expect(relays()).toHaveLength(1)
    expect(stage.created()).toEqual([])
    const line = await until(() => stage.app.log.find((each) => each.request_id === requestId))
    expect(line).toMatchObject({
      status: expected.status,
      step: expect.stringMatching(/relay|homeserver/),
    })
    expect(JSON.stringify(stage.app.log)).not.toMatch(/text of the other side|refused-token/)
  })
})

describe('404 M_UNRECOGNIZED of the other homeserver', () => {
  test.each([
    ['succeeds', { status: 200, content: { jwt: 'theirs' } }, { status: 200, jwt: 'theirs' }],
    ['is refused', { status: 403, content: error('M_FORBIDDEN') }, FORBIDDEN],
    ['is unknown as well', UNRECOGNIZED, NO_GOOD_ANSWER],
    ['fails', { status: 500, content: null }, NO_GOOD_ANSWER],
  ])('leads to the stable path once, which %s', async (_, second, expected) => {
    stage.homeserver.respond(RELAY, reply(200, UNRECOGNIZED), reply(200, second))
    expect(await stage.call(CLIENT_TOKEN, BODY)).toEqual(expected)
    const bodies = relays().map(bodyOf)
    expect(bodies.map(({ path }) => path)).toEqual([UNSTABLE, STABLE])
    expect(bodies[0]).toEqual({ ...bodies[1], path: UNSTABLE })
  })
})

describe('our own homeserver, asked to relay,', () => {
  test.each<[string, Answer]>([
    ['does not know the endpoint', reply(404, { errcode: 'M_UNRECOGNIZED', error: 'ours' })],
    ['refuses the token', reply(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'ours' })],
    ['forbids it', reply(403, { errcode: 'M_FORBIDDEN', error: 'ours' })],
    ['finds a parameter wrong', reply(400, { errcode: 'M_INVALID_PARAM', error: 'ours' })],
    ['limits', reply(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1 })],
    ['fails', reply(500, { status: 200, content: { jwt: 'x' } })],
    ['cannot reach the other', reply(502, { errcode: 'M_UNKNOWN' })],
    ['answers what is not JSON', { kind: 'invalid-json' }],
    ['answers nothing', reply(200)],
    ['answers null', reply(200, 'null')],
    ['answers more than 64 KiB', { kind: 'oversized', bytes: 70_000 }],
    ['closes the connection', { kind: 'close' }],
    ['closes it amid the answer', { kind: 'truncated' }],
  ])('%s', async (_, answer) => {
    stage.homeserver.respond(RELAY, answer)
    expect(await stage.call(CLIENT_TOKEN, BODY)).toEqual(NO_GOOD_ANSWER)
    expect(relays()).toHaveLength(1)
  })
})
