import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { startTestApp, type TestApp } from '../support/app.ts'
import {
  ALICE,
  answerOf,
  BOB,
  type CallStage,
  CLIENT_TOKEN,
  ENDPOINTS,
  headersOf,
  MATRIX_ROOM,
  post,
  startCallStage,
} from '../support/member-calls.ts'

let stage: CallStage
let standalone: TestApp

beforeAll(async () => {
  stage = await startCallStage()
  standalone = await startTestApp()
})
beforeEach(() => stage.reset())
afterAll(() => Promise.all([stage.close(), standalone.close()]))

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers':
    'Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token',
}

function corsOf({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => Object.hasOwn(CORS, name)))
}

describe.each(ENDPOINTS)('$path', (endpoint) => {
  const { path, cors, body } = endpoint
  const allow = cors ? 'OPTIONS, POST' : 'POST'
  const expectedCors = cors ? CORS : {}

  test.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'])(
    'answers %s with 405 before it looks at a token, and says what is allowed',
    async (method) => {
      for (const headers of [{}, { authorization: 'Bearer wrong' }, headersOf(endpoint)]) {
        const response = await fetch(stage.app.url + path, { method, headers })
        expect([response.status, response.headers.get('allow')]).toEqual([405, allow])
        expect(corsOf(response)).toEqual(expectedCors)
        if (method === 'HEAD') continue
        expect(await response.json()).toEqual({
          errcode: 'M_UNRECOGNIZED',
          error: 'Method not allowed',
        })
      }
    },
  )

  test('answers a preflight request where browsers call, and 405 elsewhere', async () => {
    const response = await fetch(stage.app.url + path, { method: 'OPTIONS' })
    expect(response.status).toBe(cors ? 200 : 405)
    expect(corsOf(response)).toEqual(expectedCors)
  })

  test('has the CORS headers on every answer, or on none', async () => {
    stage.api.join(MATRIX_ROOM, ALICE, BOB)
    stage.api.scheduled.set('syd_1', { userId: ALICE, roomId: MATRIX_ROOM, delayMs: 60_000 })
    const good = headersOf(endpoint)
    const isPing = endpoint.header === undefined
    const cases: [number, unknown, Record<string, string>][] = [
      [200, body, good],
      [401, body, {}],
      [isPing ? 200 : 400, '{', good],
      [isPing ? 200 : 413, 'x'.repeat(70_000), good],
    ]
    for (const [status, sent, headers] of cases) {
      const response = await post(stage.app, path, sent, headers)
      expect([response.status, corsOf(response)]).toEqual([status, expectedCors])
      expect(response.headers.get('content-type')).toBe('application/json')
      expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    }
  })

  test('does not exist unless the mode is configured', async () => {
    const expected = { status: 404, errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' }
    expect(await answerOf(post(standalone, path, body, headersOf(endpoint)))).toEqual(expected)
    for (const method of ['GET', 'OPTIONS']) {
      const response = await fetch(standalone.url + path, { method })
      expect([method, await answerOf(response), corsOf(response)]).toEqual([method, expected, {}])
    }
  })

  test('refuses further requests while shutting down', async () => {
    const ending = await stage.startReplica()
    await ending.app.startShutdown()
    const response = await post(ending, path, body, headersOf(endpoint))
    expect(corsOf(response)).toEqual(expectedCors)
    expect(await answerOf(response)).toEqual({
      status: 503,
      errcode: 'M_UNKNOWN',
      error: 'The service is shutting down.',
    })
  })
})

test.each([
  '/_matrix/client/v1/rtc/livekit',
  '/_matrix/client/v3/rtc/livekit/get_token',
  '/_matrix/federation/v1/rtc/livekit/delegate_delayed_leave',
  '/_matrix/client/unstable/org.matrix.msc4195/rtc/livekit/get_token',
  '/_matrix/app/v1/transactions/1',
])('knows no other path: %s', async (path) => {
  const response = post(stage.app, path, {}, headersOf(CLIENT_TOKEN))
  expect(await answerOf(response)).toMatchObject({ status: 404, errcode: 'M_UNRECOGNIZED' })
})

describe('beside the endpoints of the mode, those of standalone mode', () => {
  test('need no homeserver token, and give the identities of old', async () => {
    const { homeserver, env } = stage
    const overrides = `example.com=${homeserver.url}`
    const app = await stage.startReplica({
      env: { ...env, LIVEKIT_FEDERATION_URL_OVERRIDES: overrides },
    })
    const body = {
      room_id: '!roomid:example.com',
      slot_id: 'slot1234',
      openid_token: {
        access_token: homeserver.issueOpenIdToken(ALICE),
        matrix_server_name: 'example.com',
      },
      member: { id: 'memberABC', claimed_user_id: ALICE, claimed_device_id: 'DEVICE123' },
    }
    for (const path of ['/get_token', '/sfu/get']) {
      const { jwt, url } = await answerOf(post(app, path, body, {}))
      expect(url).toBe('wss://livekit.example.com/sfu')
      const claims = JSON.parse(
        Buffer.from(String(jwt).split('.')[1] ?? '', 'base64url').toString(),
      )
      expect(claims.sub).toBe('J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU')
    }
    // Nobody is joined to the room.
    expect(stage.asked().filter((asked) => asked.startsWith('is_joined'))).toEqual([])
  })

  test('do not accept the homeserver in place of an OpenID token', async () => {
    expect(await stage.call({ ...CLIENT_TOKEN, path: '/get_token' })).toMatchObject({
      status: 400,
      errcode: 'M_BAD_JSON',
    })
    expect((await fetch(`${stage.app.url}/healthz`)).status).toBe(200)
  })
})
