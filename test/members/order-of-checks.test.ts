import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  ALICE,
  BOB,
  BODY_ENDPOINTS,
  type CallAnswer,
  type CallStage,
  MATRIX_ROOM,
  startCallStage,
} from '../support/member-calls.ts'
import { reply } from '../support/misbehaviour.ts'

let stage: CallStage

beforeAll(async () => {
  stage = await startCallStage()
})
beforeEach(() => stage.reset())
afterAll(() => stage.close())

const CLIENTS = BODY_ENDPOINTS.filter(({ path }) => /client.*get_token$/.test(path))
const FEDERATION = BODY_ENDPOINTS.filter(({ path }) => path.includes('federation'))
const LEAVES = BODY_ENDPOINTS.filter(({ path }) => path.endsWith('delegate_delayed_leave'))

const NOT_JOINED = { status: 403, errcode: 'M_FORBIDDEN', error: 'Not joined to the room.' }
const FOREIGN = {
  status: 403,
  errcode: 'M_FORBIDDEN',
  error: 'The user is not of the server that asks.',
}
const WRONG_URL = {
  status: 400,
  errcode: 'M_INVALID_PARAM',
  error: 'The field "url" is not the URL of this SFU.',
}
const NO_GOOD_ANSWER = {
  status: 502,
  errcode: 'M_UNKNOWN',
  error: 'The homeserver did not answer as expected.',
}
const IS_JOINED = `/_matrix/client/unstable/io.element.msc4502/rooms/${encodeURIComponent(MATRIX_ROOM)}/is_joined`
const RELAY = '/_matrix/client/unstable/io.element.msc4512/appservice/fed_proxy'
const ASKED_USER = 'is_joined mxid=@alice:example.com'
const ASKED_SERVER = 'is_joined server_name=other.example'

/** What a request led to. */
function outcome(answer: CallAnswer) {
  return { answer, asked: stage.asked(), created: stage.created().length }
}

/** URLs that only look like ours. */
const WRONG_URLS = [
  'wss://other.example.com/sfu',
  'wss://livekit.example.com/sfu/',
  'wss://livekit.example.com',
  'wss://LIVEKIT.example.com/sfu',
  'https://livekit.example.com/sfu',
]

describe.each(CLIENTS)('$path, for our own SFU', (endpoint) => {
  test.each(WRONG_URLS)('asks nobody anything when the URL is %s', async (url) => {
    stage.api.join(MATRIX_ROOM, ALICE)
    const answer = await stage.call(endpoint, { ...endpoint.body, url })
    expect(outcome(answer)).toEqual({ answer: WRONG_URL, asked: [], created: 0 })
  })

  test('creates no room for a user who is not joined', async () => {
    stage.api.join(MATRIX_ROOM, BOB, '@eve:example.com')
    stage.api.join('!other', ALICE)
    const answer = await stage.call(endpoint)
    expect(outcome(answer)).toEqual({ answer: NOT_JOINED, asked: [ASKED_USER], created: 0 })
  })

  test('creates no room when the homeserver does not say', async () => {
    stage.homeserver.respond(IS_JOINED, reply(500))
    const answer = await stage.call(endpoint)
    expect(outcome(answer)).toEqual({ answer: NO_GOOD_ANSWER, asked: [ASKED_USER], created: 0 })
  })

  test('asks for the user alone, then creates the room', async () => {
    stage.api.join(MATRIX_ROOM, ALICE)
    const answer = await stage.call(endpoint)
    expect(answer.status).toBe(200)
    expect(outcome(answer)).toEqual({ answer, asked: [ASKED_USER], created: 1 })
  })
})

describe.each(CLIENTS)('$path, for the SFU of another homeserver', (endpoint) => {
  const body = { ...endpoint.body, server_name: 'other.example' }

  test('asks no further when the user is not joined', async () => {
    stage.api.join(MATRIX_ROOM, BOB)
    const answer = await stage.call(endpoint, body)
    expect(outcome(answer)).toEqual({ answer: NOT_JOINED, asked: [ASKED_USER], created: 0 })
  })

  test('asks no further when the homeserver does not say of the user', async () => {
    stage.homeserver.respond(IS_JOINED, reply(500))
    const answer = await stage.call(endpoint, body)
    expect(outcome(answer)).toEqual({ answer: NO_GOOD_ANSWER, asked: [ASKED_USER], created: 0 })
  })

  test('relays nothing when the other server is not joined', async () => {
    stage.api.join(MATRIX_ROOM, ALICE, '@eve:sub.other.example')
    const answer = await stage.call(endpoint, body)
    const asked = [ASKED_USER, ASKED_SERVER]
    expect(outcome(answer)).toEqual({ answer: NOT_JOINED, asked, created: 0 })
  })

  test('relays nothing when the homeserver does not say of the other server', async () => {
    stage.homeserver.respond(IS_JOINED, reply(200, { joined: true }), reply(200, { joined: 'yes' }))
    const answer = await stage.call(endpoint, body)
    const asked = [ASKED_USER, ASKED_SERVER]
    expect(outcome(answer)).toEqual({ answer: NO_GOOD_ANSWER, asked, created: 0 })
  })

  test('relays the request, and neither looks at the URL nor creates a room', async () => {
    stage.api.join(MATRIX_ROOM, ALICE, BOB)
    stage.homeserver.respond(RELAY, reply(200, { status: 200, content: { jwt: 'theirs' } }))
    const answer = await stage.call(endpoint, { ...body, url: 'wss://sfu.other.example' })
    const asked = [ASKED_USER, ASKED_SERVER, 'fed_proxy']
    expect(outcome(answer)).toEqual({ answer: { status: 200, jwt: 'theirs' }, asked, created: 0 })
  })
})

describe.each(FEDERATION)('$path', (endpoint) => {
  const ownServer = 'is_joined server_name=example.com'
  const user = 'is_joined mxid=@bob:other.example'

  test.each([
    '@bob:OTHER.example',
    '@bob:other.example.',
    '@bob:other.example:8448',
    '@bob:sub.other.example',
    '@alice:example.com',
    '@other.example:third.example',
  ])('asks nobody anything for %s, who is not of the origin', async (user_id) => {
    stage.api.join(MATRIX_ROOM, user_id, ALICE)
    const answer = await stage.call(endpoint, { ...endpoint.body, user_id, url: 'wss://wrong' })
    expect(outcome(answer)).toEqual({ answer: FOREIGN, asked: [], created: 0 })
  })

  test('asks for our own server first', async () => {
    stage.api.join(MATRIX_ROOM, BOB)
    const answer = await stage.call(endpoint)
    expect(outcome(answer)).toEqual({ answer: NOT_JOINED, asked: [ownServer], created: 0 })
  })

  test('then for the user', async () => {
    stage.api.join(MATRIX_ROOM, ALICE, '@eve:other.example')
    const answer = await stage.call(endpoint)
    const asked = [ownServer, user]
    expect(outcome(answer)).toEqual({ answer: NOT_JOINED, asked, created: 0 })
  })

  test('does not tell whether the URL is right to whom is not joined', async () => {
    for (const joined of [[], [BOB], [ALICE]]) {
      stage.reset()
      stage.api.join(MATRIX_ROOM, ...joined)
      expect(await stage.call(endpoint, { ...endpoint.body, url: 'wss://wrong' })).toEqual(
        NOT_JOINED,
      )
    }
  })

  test.each(WRONG_URLS)('creates no room when the URL is %s', async (url) => {
    stage.api.join(MATRIX_ROOM, ALICE, BOB)
    const answer = await stage.call(endpoint, { ...endpoint.body, url })
    expect(outcome(answer)).toEqual({ answer: WRONG_URL, asked: [ownServer, user], created: 0 })
  })

  test('creates the room last', async () => {
    stage.api.join(MATRIX_ROOM, ALICE, BOB)
    const answer = await stage.call(endpoint)
    expect(answer.status).toBe(200)
    expect(outcome(answer)).toEqual({ answer, asked: [ownServer, user], created: 1 })
  })

  test('does not relay any further, whatever server_name says', async () => {
    stage.api.join(MATRIX_ROOM, ALICE, BOB)
    const answer = await stage.call(endpoint, { ...endpoint.body, server_name: 'third.example' })
    expect(outcome(answer)).toEqual({ answer, asked: [ownServer, user], created: 1 })
  })
})

test.each(WRONG_URLS)('a delegation asks nobody anything when the URL is %s', async (url) => {
  stage.api.scheduled.set('syd_1', { userId: ALICE, roomId: MATRIX_ROOM, delayMs: 60_000 })
  for (const endpoint of LEAVES) {
    const answer = await stage.call(endpoint, { ...endpoint.body, url })
    expect(outcome(answer)).toEqual({ answer: WRONG_URL, asked: [], created: 0 })
  }
})
