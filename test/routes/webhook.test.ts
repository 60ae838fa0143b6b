import { afterAll, beforeAll, expect, test } from 'bun:test'
import { startTestApp, type TestApp } from '../support/app.ts'
import { CREDENTIALS, OTHER_CREDENTIALS } from '../support/credentials.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'
import { signWebhook } from '../support/sfu-webhook.ts'
import { until } from '../support/until.ts'

const EVENT = { event: 'participant_left', room: { name: 'r' }, participant: { identity: 'i' } }
let app: TestApp
let sfu: Sfu

beforeAll(async () => {
  app = await startTestApp()
  sfu = await startSfu(CREDENTIALS)
})
afterAll(() => Promise.all([app.close(), sfu.close()]))

async function send(body: string, authorization?: string) {
  const headers = {
    'Content-Type': 'application/webhook+json',
    ...(authorization === undefined ? {} : { Authorization: authorization }),
  }
  const response = await fetch(`${app.url}/sfu_webhook`, { method: 'POST', headers, body })
  expect(response.headers.get('content-type')).toStartWith('application/json')
  return { status: response.status, body: await response.json() }
}

const FORGED = {
  status: 401,
  body: { errcode: 'M_UNAUTHORIZED', error: 'The webhook is not signed by the SFU.' },
}

test.each([
  'participant_joined',
  'participant_left',
  'participant_connection_aborted',
  'room_finished',
  'room_started',
  'track_published',
])('accepts %s, also for an unknown room', async (event) => {
  const response = await sfu.sendWebhook(`${app.url}/sfu_webhook`, { ...EVENT, event })
  expect(response.status).toBe(200)
})

test('accepts a signed body that it does not understand', async () => {
  for (const body of ['{}', '[]', 'null', '"text"', 'no json', '{"event":7}']) {
    expect(await send(body, await signWebhook(body, CREDENTIALS))).toEqual({
      status: 200,
      body: {},
    })
  }
})

test('ignores a signed body with a lone surrogate', async () => {
  for (const half of ['\\ud83d', '\\ud83d\\n\\ude00']) {
    const body = `{"event":"participant_left","room":{"name":"r"},"participant":{"identity":"${half}"}}`
    const id = `half-${half.length}`
    const authorization = await signWebhook(body, CREDENTIALS)
    const headers = { Authorization: authorization, 'X-Request-Id': id }
    const response = await fetch(`${app.url}/sfu_webhook`, { method: 'POST', headers, body })
    expect([response.status, await response.json()]).toEqual([200, {}])
    const line = await until(() => app.log.find(({ request_id }) => request_id === id))
    expect([line.event, line.identity]).toEqual([undefined, undefined])
  }
})

test('accepts a token with the scheme that some proxies add', async () => {
  const body = JSON.stringify(EVENT)
  const jwt = await signWebhook(body, CREDENTIALS)
  expect((await send(body, `Bearer ${jwt}`)).status).toBe(200)
})

test('refuses a webhook without a readable token', async () => {
  expect(await send(JSON.stringify(EVENT))).toEqual(FORGED)
  expect(await send(JSON.stringify(EVENT), 'nonsense')).toEqual(FORGED)
  const unsigned = 'eyJhbGciOiJub25lIn0.eyJpc3MiOiJkZXZrZXkiLCJzaGEyNTYiOiJ4In0.'
  expect(await send(JSON.stringify(EVENT), unsigned)).toEqual(FORGED)
})

test('refuses a webhook signed with another secret, or by another key', async () => {
  const body = JSON.stringify(EVENT)
  expect(await send(body, await signWebhook(body, OTHER_CREDENTIALS))).toEqual(FORGED)
  const otherKey = { ...CREDENTIALS, apiKey: 'otherkey' }
  expect(await send(body, await signWebhook(body, otherKey))).toEqual(FORGED)
})

test('refuses a body that does not match the signature', async () => {
  const jwt = await signWebhook(JSON.stringify(EVENT), CREDENTIALS)
  expect(await send(JSON.stringify({ ...EVENT, room: { name: 's' } }), jwt)).toEqual(FORGED)
})

test('refuses a body over 1 MiB before verifying it', async () => {
  const body = JSON.stringify({ ...EVENT, padding: 'x'.repeat(1024 * 1024) })
  expect((await send(body, await signWebhook(body, CREDENTIALS))).status).toBe(413)
  expect(await send(body)).toEqual(FORGED)
})

test('answers 503 while the store is away, so that the SFU tries again', async () => {
  await using away = await startTestApp({ env: { LIVEKIT_REDIS_URL: 'redis://127.0.0.1:1' } })
  const response = await sfu.sendWebhook(`${away.url}/sfu_webhook`, EVENT)
  expect(response.status).toBe(503)
  expect(await response.json()).toEqual({
    errcode: 'M_UNKNOWN',
    error: 'The state store is not available.',
  })
})

test('answers other methods with 405', async () => {
  expect((await fetch(`${app.url}/sfu_webhook`)).status).toBe(405)
})

test('logs accepted webhooks, and why one is refused, without telling the sender', async () => {
  const body = JSON.stringify(EVENT)
  const otherKey = { ...CREDENTIALS, apiKey: 'otherkey' }
  await send(body)
  await send(body, 'nonsense')
  await send(body, await signWebhook(body, OTHER_CREDENTIALS))
  await send(body, await signWebhook(body, otherKey))
  await send('{}', await signWebhook(body, CREDENTIALS))
  await send(body, await signWebhook(body, CREDENTIALS))
  const lines = await until(() => {
    const last = app.log.filter((line) => line.route === '/sfu_webhook').slice(-6)
    return last.at(-1)?.event === 'participant_left' ? last : undefined
  })
  expect(lines.map(({ step, cause, code, event }) => [step, cause ?? event, code])).toEqual([
    ['webhook', 'there is no token in Authorization', 'webhook.unsigned'],
    ['webhook', 'the token is malformed', 'webhook.malformed'],
    ['webhook', 'the token is not signed with our secret', 'webhook.wrong-secret'],
    ['webhook', 'the token names another API key than ours', 'webhook.wrong-key'],
    ['webhook', 'the body is not the signed one', 'webhook.malformed'],
    [undefined, 'participant_left', undefined],
  ])
  const remedy =
    'LIVEKIT_KEY and LIVEKIT_SECRET, or the line in LIVEKIT_KEY_FILE, must be a pair under "keys" or in ' +
    'the "key_file" of LiveKit\'s configuration, and "webhook.api_key" there that key.'
  expect(lines.slice(2, 4).map((line) => line.remedy)).toEqual([remedy, remedy])
})
