import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startTestApp, type TestApp } from '../support/app.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { type Sfu, startSfu, twirpError } from '../support/sfu.ts'

let homeserver: Homeserver
let sfu: Sfu
let app: TestApp
let restricted: TestApp

beforeAll(async () => {
  homeserver = await startHomeserver({ serverName: 'hs.test' })
  sfu = await startSfu(CREDENTIALS)
  const env = {
    LIVEKIT_URL: sfu.wsUrl,
    LIVEKIT_FEDERATION_URL_OVERRIDES: `hs.test=${homeserver.url}`,
  }
  app = await startTestApp({ env, tuning: { sfuTimeoutMs: 1_000 } })
  restricted = await startTestApp({
    env: { ...env, LIVEKIT_FULL_ACCESS_HOMESERVERS: 'elsewhere.test' },
  })
})
afterAll(() => Promise.all([app.close(), restricted.close(), sfu.close(), homeserver.close()]))

function getTokenBody(more: Record<string, unknown> = {}) {
  return {
    room_id: '!room:hs.test',
    slot_id: 'm.call#ROOM',
    openid_token: {
      access_token: homeserver.issueOpenIdToken('@user:hs.test'),
      matrix_server_name: 'hs.test',
    },
    member: { id: 'member', claimed_user_id: '@user:hs.test', claimed_device_id: 'DEVICE' },
    ...more,
  }
}

interface ErrorAnswer extends Record<string, unknown> {
  readonly status: number
}

async function answerTo(response: Promise<Response>): Promise<ErrorAnswer> {
  const { status, headers } = await response
  expect(headers.get('content-type')).toBe('application/json')
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  expect(headers.get('access-control-allow-origin')).toBe('*')
  expect(headers.get('access-control-allow-methods')).toBe('POST')
  expect(headers.get('access-control-expose-headers')).toBe('X-Request-Id')
  expect(headers.get('access-control-allow-headers')).toBe(
    'Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token',
  )
  return { ...((await (await response).json()) as Record<string, unknown>), status }
}

function send(path: string, body: string | Uint8Array<ArrayBuffer> | ReadableStream, target = app) {
  return answerTo(fetch(target.url + path, { method: 'POST', body }))
}

function without(path: string): unknown {
  const body: Record<string, unknown> = getTokenBody()
  const [outer = '', inner] = path.split('.')
  if (inner === undefined) delete body[outer]
  else delete (body[outer] as Record<string, unknown>)[inner]
  return body
}

const NOT_JSON = { status: 400, errcode: 'M_NOT_JSON', error: 'The body is not JSON.' }
const UNAUTHORIZED = {
  status: 401,
  errcode: 'M_UNAUTHORIZED',
  error: 'The request could not be authorised.',
}
const TOO_LARGE = {
  status: 413,
  errcode: 'M_TOO_LARGE',
  error: 'The body is larger than 64 KiB.',
}

function badField(field: string) {
  const error = `The field "${field}" is missing, empty or of the wrong type.`
  return { status: 400, errcode: 'M_BAD_JSON', error }
}

describe.each(['/get_token', '/sfu/get'])('%s', (path) => {
  test.each([
    ['an empty body', ''],
    ['half a body', '{"room_id":'],
    ['a body that is not UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['half of a surrogate pair', '{"room_id":"\\ud800"}'],
    ['deep nesting', '['.repeat(60_000)],
  ])('answers %s with M_NOT_JSON', async (_, body) => {
    expect(await send(path, body)).toEqual(NOT_JSON)
  })

  test.each([
    'room_id',
    'slot_id',
    'openid_token',
    'openid_token.access_token',
    'openid_token.matrix_server_name',
    'member',
    'member.id',
    'member.claimed_user_id',
    'member.claimed_device_id',
  ])('names %s when it is missing', async (field) => {
    const expected = field === 'room_id' && path === '/sfu/get' ? 'room' : field
    expect(await send(path, JSON.stringify(without(field)))).toEqual(badField(expected))
  })

  test.each([
    ['room_id', { room_id: '' }],
    ['room_id', { room_id: 7 }],
    ['slot_id', { slot_id: null }],
    ['openid_token', { openid_token: 'token' }],
    ['member.id', { member: { id: [], claimed_user_id: '@u:a', claimed_device_id: 'D' } }],
    ['delay_id', { delay_id: 7, delay_timeout: 1000 }],
    ['delay_timeout', { delay_id: 'x', delay_timeout: '1000' }],
    ['delay_timeout', { delay_id: 'x', delay_timeout: -1 }],
    ['delay_timeout', { delay_id: 'x' }],
    ['delay_id', { delay_timeout: 1000 }],
  ])('names %s in %j', async (field, more) => {
    expect(await send(path, JSON.stringify(getTokenBody(more)))).toEqual(badField(field))
  })

  test('answers a body over 64 KiB with M_TOO_LARGE, with and without its length', async () => {
    const large = JSON.stringify(getTokenBody({ padding: 'x'.repeat(65_536) }))
    expect(await send(path, large)).toEqual(TOO_LARGE)
    expect(await send(path, new Blob([large]).stream())).toEqual(TOO_LARGE)
  })

  test('accepts a body of just under 64 KiB', async () => {
    const padding = 'x'.repeat(65_536 - JSON.stringify(getTokenBody({ padding: '' })).length)
    const body = JSON.stringify(getTokenBody({ padding }))
    expect(body.length).toBe(65_536)
    expect((await send(path, body)).status).toBe(200)
  })

  test('answers an unknown OpenID token with M_UNAUTHORIZED', async () => {
    const openid_token = { access_token: 'never issued', matrix_server_name: 'hs.test' }
    expect(await send(path, JSON.stringify(getTokenBody({ openid_token })))).toEqual(UNAUTHORIZED)
  })

  test('answers the claim of another user ID with M_UNAUTHORIZED', async () => {
    const member = { id: 'm', claimed_user_id: '@other:hs.test', claimed_device_id: 'D' }
    expect(await send(path, JSON.stringify(getTokenBody({ member })))).toEqual(UNAUTHORIZED)
  })

  test('refuses delegation to a restricted user with M_BAD_JSON', async () => {
    const body = JSON.stringify(getTokenBody({ delay_id: 'd', delay_timeout: 1000 }))
    expect(await send(path, body, restricted)).toEqual({
      status: 400,
      errcode: 'M_BAD_JSON',
      error: 'Delegation of delayed leave events is not available to this user.',
    })
  })

  test('refuses delegation when the client API cannot be located, and creates no room', async () => {
    const before = sfu.requests.length
    const body = JSON.stringify(getTokenBody({ delay_id: 'd', delay_timeout: 1000 }))
    expect(await send(path, body)).toEqual({
      status: 400,
      errcode: 'M_BAD_JSON',
      error: 'Unable to resolve client-server API',
    })
    expect(sfu.requests.length).toBe(before)
  })

  test.each([
    ['refuses', twirpError(503, 'unavailable', 'details of the SFU')],
    ['does not answer', { kind: 'hang' } as const],
    ['closes the connection', { kind: 'close' } as const],
  ])('answers 500 when the SFU %s', async (_, misbehaviour) => {
    sfu.respond('CreateRoom', misbehaviour)
    const answer = await send(path, JSON.stringify(getTokenBody()))
    sfu.restore('CreateRoom')
    expect(answer).toEqual({
      status: 500,
      errcode: 'M_UNKNOWN',
      error: 'Unable to create room on SFU',
    })
  })

  test.each(['GET', 'PUT', 'DELETE', 'PATCH'])('answers %s with 405', async (method) => {
    expect(await answerTo(fetch(app.url + path, { method }))).toEqual({
      status: 405,
      errcode: 'M_UNRECOGNIZED',
      error: 'Method not allowed',
    })
  })
})

test('answers 503 while shutting down', async () => {
  await using ending = await startTestApp()
  ending.app.startShutdown()
  expect(await send('/get_token', '{}', ending)).toEqual({
    status: 503,
    errcode: 'M_UNKNOWN',
    error: 'The service is shutting down.',
  })
})
