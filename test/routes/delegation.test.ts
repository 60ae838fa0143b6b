import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startTestApp, type TestApp } from '../support/app.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { type ServiceStage, startServiceStage } from '../support/service-stage.ts'
import type { Sfu } from '../support/sfu.ts'
import { until } from '../support/until.ts'

const ROOM = 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc'
let homeserver: Homeserver
let sfu: Sfu
let app: TestApp
let stage: ServiceStage

beforeAll(async () => {
  stage = await startServiceStage()
  ;({ app, sfu, homeserver } = stage)
})
afterAll(() => stage.close())

function body(memberId: string, delayId: string, more: Record<string, unknown> = {}) {
  return {
    room_id: '!roomid:example.com',
    slot_id: 'slot1234',
    openid_token: stage.openIdToken(),
    member: {
      id: memberId,
      claimed_user_id: '@alice:example.com',
      claimed_device_id: 'DEVICE123',
    },
    delay_id: delayId,
    delay_timeout: 3_600_000,
    ...more,
  }
}

const actionsOn = (delayId: string) =>
  homeserver.delayedEventCalls.filter((call) => call.delayId === delayId).map((c) => c.action)

function identityOf(delayId: string, target = app): Promise<string> {
  return until(() => {
    const line = target.log.find(
      (each) => each.message === 'request' && each.request_id === `request-${delayId}`,
    )
    return line?.identity as string | undefined
  })
}

async function delegate(path: string, memberId: string, delayId: string, target = app) {
  homeserver.scheduleDelayedEvent(delayId)
  const headers = { 'X-Request-Id': `request-${delayId}` }
  const response = await target.post(path, body(memberId, delayId), headers)
  expect(response.status).toBe(200)
  return identityOf(delayId, target)
}

describe.each(['/get_token', '/sfu/get', '/delegate_delayed_leave'])('%s', (path) => {
  test('restarts the event once the participant has joined, and sends it once it has left', async () => {
    const delayId = `life-${path}`
    const identity = await delegate(path, `member-${path}`, delayId)
    const participant = { identity, sid: 'PA_1' }

    const joined = { event: 'participant_joined', room: { name: ROOM }, participant }
    expect((await sfu.sendWebhook(`${app.url}/sfu_webhook`, joined)).status).toBe(200)
    await until(() => actionsOn(delayId).length === 1)
    expect(actionsOn(delayId)).toEqual(['restart'])

    const left = { ...joined, event: 'participant_left' }
    expect((await sfu.sendWebhook(`${app.url}/sfu_webhook`, left)).status).toBe(200)
    await until(() => actionsOn(delayId).length === 2)
    expect(actionsOn(delayId)).toEqual(['restart', 'send'])
  })
})

test('answers 200 with an empty object to a delegation', async () => {
  homeserver.scheduleDelayedEvent('answer')
  const response = await app.post('/delegate_delayed_leave', body('answer', 'answer'))
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/json')
  expect(await response.json()).toEqual({})
})

test('sends the leave at once when a waiting participant left on purpose', async () => {
  const identity = await delegate('/get_token', 'on-purpose', 'on-purpose')
  await sfu.sendWebhook(`${app.url}/sfu_webhook`, {
    event: 'participant_left',
    room: { name: ROOM },
    participant: { identity, disconnectReason: 'CLIENT_INITIATED' },
  })
  await until(() => actionsOn('on-purpose').length > 0)
  expect(actionsOn('on-purpose')).toEqual(['send'])
})

test('drops a delegation whose connection was aborted before it was established', async () => {
  const identity = await delegate('/get_token', 'aborted', 'aborted')
  const participant = { identity }
  const room = { name: ROOM }
  const url = `${app.url}/sfu_webhook`
  await sfu.sendWebhook(url, { event: 'participant_connection_aborted', room, participant })
  const line = await until(() =>
    app.log.find((each) => each.to === 'dropped' && each.identity === identity),
  )
  expect(line).toMatchObject({
    message: 'delegation',
    room: ROOM,
    from: 'waiting',
    cause: 'participant_connection_aborted',
  })
  expect(actionsOn('aborted')).toEqual([])
})

test('never acts on the event of a delegation that another has replaced', async () => {
  const identity = await delegate('/get_token', 'replaced', 'former')
  expect(await delegate('/get_token', 'replaced', 'latter')).toBe(identity)
  const participant = { identity, sid: 'PA_2' }
  const url = `${app.url}/sfu_webhook`
  await sfu.sendWebhook(url, { event: 'participant_joined', room: { name: ROOM }, participant })
  await until(() => actionsOn('latter').length === 1)
  await sfu.sendWebhook(url, { event: 'participant_left', room: { name: ROOM }, participant })
  await until(() => actionsOn('latter').length === 2)
  expect(actionsOn('former')).toEqual([])
})

test('finds a participant whose webhook never came', async () => {
  const identity = await delegate('/get_token', 'polled', 'polled')
  sfu.addParticipant(ROOM, identity)
  await until(() => actionsOn('polled').length === 1)
  expect(actionsOn('polled')).toEqual(['restart'])
})

test.each([
  ['delay_id', { delay_id: '' }],
  ['delay_id', { delay_id: undefined }],
  ['delay_timeout', { delay_timeout: undefined }],
  ['delay_timeout', { delay_timeout: 0 }],
  ['delay_timeout', { delay_timeout: 1e300 }],
  ['member.id', { member: { claimed_user_id: '@a:b', claimed_device_id: 'D' } }],
])('requires %s of a delegation: %j', async (field, more) => {
  const response = await app.post('/delegate_delayed_leave', body('fields', 'fields', more))
  expect(response.status).toBe(400)
  expect(await response.json()).toEqual({
    errcode: 'M_BAD_JSON',
    error: `The field "${field}" is missing, empty or of the wrong type.`,
  })
})

test('forbids delegation to a restricted user', async () => {
  const env = { ...stage.env, LIVEKIT_FULL_ACCESS_HOMESERVERS: 'elsewhere.test' }
  await using restricted = await startTestApp({ env })
  const response = await restricted.post('/delegate_delayed_leave', body('no', 'no'))
  expect(response.status).toBe(403)
  expect(await response.json()).toEqual({
    errcode: 'M_FORBIDDEN',
    error: 'Delegation of delayed leave events is not available to this user.',
  })
})

test('answers 400 when the client API cannot be located', async () => {
  const { LIVEKIT_CS_API_URL_OVERRIDES, ...env } = stage.env
  await using lost = await startTestApp({ env })
  const response = await lost.post('/delegate_delayed_leave', body('lost', 'lost'))
  expect(response.status).toBe(400)
  expect(await response.json()).toEqual({
    errcode: 'M_BAD_JSON',
    error: 'Unable to resolve client-server API',
  })
})

test('answers 503 while the store is away, and gives no token', async () => {
  const env = { ...stage.env, LIVEKIT_REDIS_URL: 'redis://127.0.0.1:1' }
  await using away = await startTestApp({ env })
  for (const path of ['/get_token', '/delegate_delayed_leave']) {
    const response = await away.post(path, body('away', 'away'))
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({
      errcode: 'M_UNKNOWN',
      error: 'The state store is not available.',
    })
  }
  const { delay_id, delay_timeout, ...plain } = body('away', 'away')
  expect((await away.post('/get_token', plain)).status).toBe(200)
})

test('never logs a delay ID in full', async () => {
  await delegate('/get_token', 'secretive', 'syd_secretsecretsecret')
  await until(() => app.log.find((each) => each.request_id === 'request-syd_secretsecretsecret'))
  const lines = app.log.filter((each) => each.request_id !== 'request-syd_secretsecretsecret')
  expect(JSON.stringify(lines)).not.toContain('secretsecretsecret')
})
