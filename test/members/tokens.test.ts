import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { jwtVerify } from 'jose'
import { CREDENTIALS } from '../support/credentials.ts'
import {
  ALICE,
  BOB,
  BODY_ENDPOINTS,
  type CallAnswer,
  type CallStage,
  type Endpoint,
  headersOf,
  MATRIX_ROOM,
  startCallStage,
} from '../support/member-calls.ts'
import type { MemberStage } from '../support/member-stage.ts'
import { twirpError } from '../support/sfu.ts'
import { until } from '../support/until.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
/** Of `["!roomid:example.com","slot1234"]`. */
const ROOM = 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc'
const ROOM_ID = '!roomid:example.com'

let stage: CallStage

beforeAll(async () => {
  stage = await startCallStage({ now: () => NOW })
})
beforeEach(() => {
  stage.reset()
  stage.api.join(ROOM_ID, ALICE, BOB)
  stage.api.join(MATRIX_ROOM, ALICE, BOB)
})
afterAll(() => stage.close())

async function claimsIn({ status, jwt, ...rest }: CallAnswer) {
  expect([status, rest]).toEqual([200, {}])
  const key = new TextEncoder().encode(CREDENTIALS.apiSecret)
  const { payload, protectedHeader } = await jwtVerify(String(jwt), key, {
    currentDate: new Date(NOW),
  })
  expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' })
  return payload
}

function claims(sub: string, canPublish: boolean, room = ROOM) {
  const rights = { canPublish, canSubscribe: true, canUpdateOwnMetadata: false }
  const video = { room, roomJoin: true, roomCreate: false, ...rights }
  return { iss: 'devkey', sub, nbf: 1767323045, exp: 1767326645, video }
}

/** Of `["@alice:example.com","memberABC"]`. */
const ALICE_CLAIMS = claims('M3VnsLXrkbxIDINXO64u8PZzFyD9ZYFiQULR2dshWYs', true)
/** Of `["@bob:other.example","memberABC"]`. */
const BOB_CLAIMS = claims('J0Ewn7DvH4OOLwqV56pBg2bEFhdazlY0Sm3me1nkkMY', false)

function expectedClaims({ caller }: Endpoint) {
  return caller === ALICE ? ALICE_CLAIMS : BOB_CLAIMS
}

const TOKEN_ENDPOINTS = BODY_ENDPOINTS.filter(({ path }) => path.endsWith('get_token'))

describe.each(TOKEN_ENDPOINTS)('$path', (endpoint) => {
  const body = { ...endpoint.body, room_id: ROOM_ID }

  test('gives a token that only a user of our own homeserver may publish with', async () => {
    expect(await claimsIn(await stage.call(endpoint, body))).toEqual(expectedClaims(endpoint))
    expect(stage.created()).toEqual([ROOM])
  })

  test('is logged with the server that asks, the LiveKit room and the identity', async () => {
    const headers = { 'X-Request-Id': `log-of-${endpoint.path}` }
    await stage.call(endpoint, body, headers)
    const line = await until(() =>
      stage.app.log.find(({ request_id }) => request_id === headers['X-Request-Id']),
    )
    const server_name = endpoint.caller === ALICE ? 'example.com' : 'other.example'
    const identity = expectedClaims(endpoint).sub
    expect(line).toMatchObject({ level: 'info', status: 200, server_name, room: ROOM, identity })
  })

  test('takes a room ID without a server name', async () => {
    const answer = await claimsIn(await stage.call(endpoint, endpoint.body))
    // Of `["!roomid","slot1234"]`.
    const room = 't7m/H7f8iicv62AcYbKTFpGjWoaE8XiS1Xf+EA0ejWs'
    expect(answer).toEqual(claims(expectedClaims(endpoint).sub, endpoint.caller === ALICE, room))
    expect(stage.created()).toEqual([room])
  })

  test.each([
    ['refuses', twirpError(503, 'unavailable', 'details of the SFU')],
    ['closes the connection', { kind: 'close' } as const],
    ['does not answer', { kind: 'hang' } as const],
  ])('answers 500 when the SFU %s', async (_, misbehaviour) => {
    const impatient = await impatientReplica()
    stage.sfu.respond('CreateRoom', misbehaviour)
    const response = await callAt(impatient, endpoint)
    expect([response.status, await response.json()]).toEqual([
      500,
      { errcode: 'M_UNKNOWN', error: 'Unable to create room on SFU' },
    ])
  })

  test('does not depend on the list of servers with full access', async () => {
    const app = await stage.startReplica({
      env: {
        LIVEKIT_FULL_ACCESS_HOMESERVERS: 'elsewhere.test',
        LIVEKIT_RESTRICTED_CAN_PUBLISH: 'false',
      },
    })
    const response = await callAt(app, endpoint, body)
    const answer = { status: response.status, ...((await response.json()) as object) }
    expect(await claimsIn(answer)).toEqual(expectedClaims(endpoint))
    expect(stage.created()).toEqual([ROOM])
  })
})

type Replica = Awaited<ReturnType<MemberStage['startReplica']>>
let impatient: Replica | undefined

async function impatientReplica(): Promise<Replica> {
  impatient ??= await stage.startReplica({ tuning: { sfuTimeoutMs: 1_000 } })
  return impatient
}

function callAt(app: Replica, endpoint: Endpoint, body = endpoint.body): Promise<Response> {
  return app.post(endpoint.path, body, headersOf(endpoint))
}

test('honours the lifetime and the right to update the own metadata', async () => {
  const app = await stage.startReplica({
    env: { LIVEKIT_TOKEN_TTL_SECONDS: '60', LIVEKIT_CAN_UPDATE_OWN_METADATA: 'true' },
  })
  for (const endpoint of TOKEN_ENDPOINTS) {
    const response = await callAt(app, endpoint)
    const answer = { status: response.status, ...((await response.json()) as object) }
    const { exp, video } = await claimsIn(answer)
    expect(exp).toBe(1767323105)
    expect(video).toMatchObject({ canUpdateOwnMetadata: true, roomCreate: false })
  }
})
