import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import { findClosedPort } from '../support/dead-end.ts'
import {
  ALICE,
  answerOf,
  type CallStage,
  CLIENT_TOKEN,
  FEDERATED_TOKEN,
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
beforeEach(() => {
  stage.reset()
  stage.homeserver.setUnstableFeatures({ 'org.matrix.msc4140': true })
})
afterAll(() => stage.close())

const UNSTABLE = '/_matrix/client/unstable/io.element.msc4502/rooms'
const VERSIONS = '/_matrix/client/versions'
const IS_JOINED = `${UNSTABLE}/!roomid/is_joined`
const NOT_JOINED = { status: 403, errcode: 'M_FORBIDDEN', error: 'Not joined to the room.' }
const NO_GOOD_ANSWER = {
  status: 502,
  errcode: 'M_UNKNOWN',
  error: 'The homeserver did not answer as expected.',
}

function requestsAt(path: string) {
  return stage.homeserver.requests.filter((request) => request.path === path)
}

function callAt(app: TestApp, body: object = CLIENT_TOKEN.body) {
  return answerOf(post(app, CLIENT_TOKEN.path, body, headersOf(CLIENT_TOKEN)))
}

describe('an answer to is_joined', () => {
  test.each<[string, Answer, object]>([
    ['joined', reply(200, { joined: true }), { status: 200 }],
    ['joined and more', reply(200, { joined: true, more: [] }), { status: 200 }],
    ['not joined', reply(200, { joined: false }), NOT_JOINED],
    ['the text "true"', reply(200, { joined: 'true' }), NO_GOOD_ANSWER],
    ['the text "false"', reply(200, { joined: 'false' }), NO_GOOD_ANSWER],
    ['1', reply(200, { joined: 1 }), NO_GOOD_ANSWER],
    ['null', reply(200, { joined: null }), NO_GOOD_ANSWER],
    ['a list', reply(200, { joined: [true] }), NO_GOOD_ANSWER],
    ['nothing said', reply(200, {}), NO_GOOD_ANSWER],
    ['true outside an object', reply(200, 'true'), NO_GOOD_ANSWER],
    ['an empty answer', reply(200), NO_GOOD_ANSWER],
    ['204', reply(204), NO_GOOD_ANSWER],
    ['201', reply(201, { joined: true }), NO_GOOD_ANSWER],
    ['400', reply(400, { errcode: 'M_INVALID_PARAM', joined: true }), NO_GOOD_ANSWER],
    ['401', reply(401, { errcode: 'M_UNKNOWN_TOKEN' }), NO_GOOD_ANSWER],
    ['403', reply(403, { errcode: 'M_FORBIDDEN', joined: true }), NO_GOOD_ANSWER],
    ['404', reply(404, { errcode: 'M_UNRECOGNIZED' }), NO_GOOD_ANSWER],
    ['429', reply(429, { errcode: 'M_LIMIT_EXCEEDED' }), NO_GOOD_ANSWER],
    ['500', reply(500, { joined: true }), NO_GOOD_ANSWER],
    ['what is not JSON', { kind: 'invalid-json' }, NO_GOOD_ANSWER],
    ['half of one', { kind: 'truncated' }, NO_GOOD_ANSWER],
    ['more than 64 KiB', { kind: 'oversized', bytes: 70_000 }, NO_GOOD_ANSWER],
    ['more and more', { kind: 'endless' }, NO_GOOD_ANSWER],
    ['a closed connection', { kind: 'close' }, NO_GOOD_ANSWER],
    ['silence', { kind: 'hang' }, NO_GOOD_ANSWER],
    ['headers without end', { kind: 'slow-headers', everyMs: 100 }, NO_GOOD_ANSWER],
  ])('of %s', async (_, answer, expected) => {
    stage.homeserver.respond(IS_JOINED, answer)
    const start = performance.now()
    expect(await stage.call(CLIENT_TOKEN)).toMatchObject(expected)
    expect(performance.now() - start).toBeLessThan(5_000)
    expect(requestsAt(IS_JOINED)).toHaveLength(1)
    expect(stage.created()).toHaveLength('errcode' in expected ? 0 : 1)
  })
})

describe('the question', () => {
  test('names the user in `mxid` under the unstable path', async () => {
    await stage.call(CLIENT_TOKEN)
    const [request] = requestsAt(IS_JOINED)
    expect([...(request?.query ?? [])]).toEqual([['mxid', '@alice:example.com']])
    expect(request?.method).toBe('GET')
    expect(request?.headers.get('authorization')).toBe(`Bearer ${AS_TOKEN}`)
  })

  test('names a server in `server_name`', async () => {
    await stage.call(FEDERATED_TOKEN)
    const [request] = requestsAt(IS_JOINED)
    expect([...(request?.query ?? [])]).toEqual([['server_name', 'example.com']])
  })

  test.each([
    ['!roomid:example.com', '!roomid%3Aexample.com'],
    ['!a/b?c#d%2e', '!a%2Fb%3Fc%23d%252e'],
    ['!ü 猫', '!%C3%BC%20%E7%8C%AB'],
    ['...', '...'],
  ])('encodes the room ID %s', async (room_id, encoded) => {
    stage.api.join(room_id, ALICE)
    expect((await stage.call(CLIENT_TOKEN, { ...CLIENT_TOKEN.body, room_id })).status).toBe(200)
    expect(requestsAt(`${UNSTABLE}/${encoded}/is_joined`)).toHaveLength(1)
  })

  test.each([
    [{ 'io.element.msc4502.stable': true }, '/_matrix/client/v3/rooms', 'user_id'],
    [{ 'io.element.msc4502': true }, UNSTABLE, 'mxid'],
    [{ 'io.element.msc4502.stable': false, 'io.element.msc4512.stable': true }, UNSTABLE, 'mxid'],
  ])('goes by /versions: %j', async (features, base, parameter) => {
    stage.homeserver.setUnstableFeatures(features)
    stage.api.join(MATRIX_ROOM, ALICE)
    const app = await stage.startReplica()
    expect((await callAt(app)).status).toBe(200)
    const [request] = requestsAt(`${base}/!roomid/is_joined`)
    expect([...(request?.query ?? [])]).toEqual([[parameter, '@alice:example.com']])
    expect(requestsAt(VERSIONS).map(({ headers }) => headers.get('authorization'))).toEqual([null])
  })

  test.each<[string, Answer]>([
    ['fails', reply(500)],
    ['is no JSON', { kind: 'invalid-json' }],
    ['closes the connection', { kind: 'close' }],
    ['does not come', { kind: 'hang' }],
  ])('goes to the unstable path when the answer of /versions %s', async (_, answer) => {
    stage.api.join(MATRIX_ROOM, ALICE)
    stage.homeserver.respond(VERSIONS, answer)
    const app = await stage.startReplica({ tuning: { clientApiTimeoutMs: 2_000 } })
    expect((await callAt(app)).status).toBe(200)
    expect(requestsAt(IS_JOINED)).toHaveLength(1)
  })

  test('goes out each time, that for /versions once', async () => {
    const app = await stage.startReplica()
    stage.api.join(MATRIX_ROOM, ALICE)
    expect((await callAt(app)).status).toBe(200)
    stage.api.leave(MATRIX_ROOM, ALICE)
    expect(await callAt(app)).toEqual(NOT_JOINED)
    stage.api.join(MATRIX_ROOM, ALICE)
    expect((await callAt(app)).status).toBe(200)
    expect(requestsAt(IS_JOINED)).toHaveLength(3)
    expect(requestsAt(VERSIONS)).toHaveLength(1)
  })

  test('is one for requests about the same room and user at the same moment', async () => {
    const held = Promise.withResolvers<Answer>()
    stage.homeserver.respond(IS_JOINED, () => held.promise)
    stage.homeserver.respond(`${UNSTABLE}/!other/is_joined`, () => held.promise)
    const { body } = CLIENT_TOKEN
    const same = [1, 2, 3, 4].map((number) =>
      stage.call(CLIENT_TOKEN, { ...body, member_id: `m${number}` }),
    )
    const otherUser = stage.call(CLIENT_TOKEN, body, { [CLIENT_TOKEN.header]: '@eve:example.com' })
    const otherRoom = stage.call(CLIENT_TOKEN, { ...body, room_id: '!other' })
    await until(() => stage.asked().length === 3)
    await Bun.sleep(100)
    held.resolve(reply(200, { joined: true }))
    const answers = await Promise.all([...same, otherUser, otherRoom])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
    expect(new Set(answers.map(({ jwt }) => jwt)).size).toBe(6)
    expect(stage.asked()).toHaveLength(3)
  })

  test('is not lost with the one who hung up', async () => {
    const held = Promise.withResolvers<Answer>()
    stage.homeserver.respond(IS_JOINED, () => held.promise)
    const hangUp = new AbortController()
    const headers = headersOf(CLIENT_TOKEN)
    const body = JSON.stringify(CLIENT_TOKEN.body)
    const init = { method: 'POST', headers, body, signal: hangUp.signal }
    const first = fetch(stage.app.url + CLIENT_TOKEN.path, init).catch(() => 'hung up')
    await until(() => stage.asked().length === 1)
    const second = stage.call(CLIENT_TOKEN)
    await Bun.sleep(50)
    hangUp.abort()
    expect(await first).toBe('hung up')
    await Bun.sleep(50)
    held.resolve(reply(200, { joined: true }))
    expect((await second).status).toBe(200)
    expect(stage.asked()).toHaveLength(1)
  })
})

test('starts, and refuses, while the homeserver cannot be reached', async () => {
  const nowhere = `http://127.0.0.1:${await findClosedPort()}`
  const app = await stage.startReplica({
    env: { LIVEKIT_CS_API_URL_OVERRIDES: `example.com=${nowhere}` },
  })
  expect(await callAt(app)).toEqual(NO_GOOD_ANSWER)
  expect(stage.created()).toEqual([])
})
