import { afterAll, beforeAll, expect, test } from 'bun:test'
import { jwtVerify } from 'jose'
import { startTestApp, type TestApp } from '../support/app.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5)
interface TokenAnswer {
  readonly url: string
  readonly jwt: string
}

let homeserver: Homeserver
let sfu: Sfu
let app: TestApp

beforeAll(async () => {
  homeserver = await startHomeserver({ serverName: 'example.com' })
  sfu = await startSfu({ ...CREDENTIALS, now: () => NOW })
  app = await startTestApp({ env: environment(), now: () => NOW })
})
afterAll(() => Promise.all([app.close(), sfu.close(), homeserver.close()]))

function environment() {
  return {
    LIVEKIT_URL: sfu.wsUrl,
    LIVEKIT_FEDERATION_URL_OVERRIDES: `example.com=${homeserver.url}`,
  }
}

function openIdToken(userId: string) {
  return {
    access_token: homeserver.issueOpenIdToken(userId),
    token_type: 'Bearer',
    matrix_server_name: 'example.com',
    expires_in: 3600,
  }
}

function getTokenBody() {
  return {
    room_id: '!roomid:example.com',
    slot_id: 'slot1234',
    openid_token: openIdToken('@alice:example.com'),
    member: {
      id: 'memberABC',
      claimed_user_id: '@alice:example.com',
      claimed_device_id: 'DEVICE123',
    },
  }
}

function legacyBody() {
  return {
    room: '!room:example.com',
    openid_token: openIdToken('@alice:example.com'),
    device_id: 'DEVICE123',
  }
}

async function claimsIn(response: Response) {
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  const { url, jwt, ...rest } = (await response.json()) as TokenAnswer
  expect(url).toBe(sfu.wsUrl)
  expect(rest).toEqual({})
  const key = new TextEncoder().encode(CREDENTIALS.apiSecret)
  return (await jwtVerify(jwt, key, { currentDate: new Date(NOW) })).payload
}

const NEW_FORM_CLAIMS = {
  iss: 'devkey',
  sub: 'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU',
  nbf: 1767323045,
  exp: 1767326645,
  video: {
    room: 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc',
    roomJoin: true,
    roomCreate: false,
    canPublish: true,
    canSubscribe: true,
    canUpdateOwnMetadata: false,
  },
}

test.each(['/get_token', '/sfu/get'])('exchanges a token on %s', async (path) => {
  expect(await claimsIn(await app.post(path, getTokenBody()))).toEqual(NEW_FORM_CLAIMS)
})

test('gives the legacy body a plain identity and the default slot', async () => {
  const claims = await claimsIn(await app.post('/sfu/get', legacyBody()))
  expect(claims.sub).toBe('@alice:example.com:DEVICE123')
  expect(claims.video).toMatchObject({ room: 'krj2dgxw2K6EOm9he4GfQJ6JsSVWfJ8a7BkyjZcSmxs' })
})

test('accepts a legacy body without a device ID', async () => {
  const { device_id, ...body } = legacyBody()
  expect((await claimsIn(await app.post('/sfu/get', body))).sub).toBe('@alice:example.com:')
})

test('reads a body with room_id and room as that of /get_token', async () => {
  const body = { ...getTokenBody(), room: '!other:example.com' }
  expect(await claimsIn(await app.post('/sfu/get', body))).toEqual(NEW_FORM_CLAIMS)
})

test('ignores unknown and unused fields', async () => {
  const body = {
    ...getTokenBody(),
    delayed_event_id: 7,
    delay_cs_api_url: 'https://evil.test',
    delay_id: null,
    delay_timeout: null,
    'org.example.more': { deep: [1] },
    openid_token: { ...getTokenBody().openid_token, expires_in: 'soon', token_type: 3, more: 1 },
  }
  expect(await claimsIn(await app.post('/get_token', body))).toEqual(NEW_FORM_CLAIMS)
})

test.each([
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  '',
])('reads the body as JSON when Content-Type is "%s"', async (contentType) => {
  const headers = { 'Content-Type': contentType }
  expect(await claimsIn(await app.post('/get_token', getTokenBody(), headers))).toEqual(
    NEW_FORM_CLAIMS,
  )
})

test('creates the room before a user with full access gets the token', async () => {
  const body = { ...getTokenBody(), slot_id: 'a new slot' }
  const claims = await claimsIn(await app.post('/get_token', body))
  expect(sfu.requests.at(-1)?.message).toMatchObject({
    name: (claims.video as { room: string }).room,
    emptyTimeout: 300,
    departureTimeout: 20,
  })
})

test('gives a restricted user a token and creates nothing', async () => {
  const env = { ...environment(), LIVEKIT_FULL_ACCESS_HOMESERVERS: 'other.example.com' }
  await using restricted = await startTestApp({ env, now: () => NOW })
  const before = sfu.requests.length
  expect(await claimsIn(await restricted.post('/get_token', getTokenBody()))).toEqual(
    NEW_FORM_CLAIMS,
  )
  expect(sfu.requests.length).toBe(before)
})

test('keeps only restricted users from publishing if configured', async () => {
  const env = { ...environment(), LIVEKIT_RESTRICTED_CAN_PUBLISH: 'false' }
  const elsewhere = { ...env, LIVEKIT_FULL_ACCESS_HOMESERVERS: 'other.example.com' }
  await using restricted = await startTestApp({ env: elsewhere, now: () => NOW })
  await using full = await startTestApp({ env, now: () => NOW })
  const claims = await claimsIn(await restricted.post('/get_token', getTokenBody()))
  expect(claims.video).toMatchObject({ canPublish: false, canSubscribe: true })
  expect(await claimsIn(await full.post('/get_token', getTokenBody()))).toEqual(NEW_FORM_CLAIMS)
})

test('honours lifetime, own metadata and a separate internal URL', async () => {
  const env = {
    ...environment(),
    LIVEKIT_URL: 'wss://public.example.com/livekit/',
    LIVEKIT_INTERNAL_URL: sfu.wsUrl,
    LIVEKIT_TOKEN_TTL_SECONDS: '60',
    LIVEKIT_CAN_UPDATE_OWN_METADATA: 'true',
  }
  await using other = await startTestApp({ env, now: () => NOW })
  const response = await other.post('/get_token', getTokenBody())
  const { url, jwt } = (await response.json()) as TokenAnswer
  expect(url).toBe('wss://public.example.com/livekit/')
  const key = new TextEncoder().encode(CREDENTIALS.apiSecret)
  const { payload } = await jwtVerify(jwt, key, { currentDate: new Date(NOW) })
  expect(payload.exp).toBe(1767323105)
  expect(payload.video).toMatchObject({ canUpdateOwnMetadata: true })
})
