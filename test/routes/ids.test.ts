import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startTestApp, type TestApp } from '../support/app.ts'
import { type ServiceStage, startServiceStage } from '../support/service-stage.ts'
import type { Sfu } from '../support/sfu.ts'
import { until } from '../support/until.ts'

const ROOM = 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc'
const LONG = 'x'.repeat(1_025)
const LONGEST = 'x'.repeat(1_024)
let sfu: Sfu
let app: TestApp
let stage: ServiceStage

beforeAll(async () => {
  stage = await startServiceStage()
  ;({ app, sfu } = stage)
})
afterAll(() => stage.close())

const MEMBER = {
  id: 'member',
  claimed_user_id: '@alice:example.com',
  claimed_device_id: 'DEVICE',
}
const DELAYED = { delay_id: 'syd_1', delay_timeout: 3_600_000 }

function body(member: object = {}, more: object = {}) {
  const where = { room_id: '!roomid:example.com', slot_id: 'slot1234' }
  return { ...where, openid_token: stage.openIdToken(), member: { ...MEMBER, ...member }, ...more }
}

function legacyBody(more: object) {
  return {
    room: '!roomid:example.com',
    openid_token: stage.openIdToken(),
    device_id: 'DEVICE',
    ...more,
  }
}

async function answerTo(path: string, sent: object, requestId = 'id') {
  const response = await app.post(path, sent, { 'X-Request-Id': requestId })
  return { status: response.status, ...((await response.json()) as object) }
}

function badField(field: string) {
  const error = `The field "${field}" is missing, empty or of the wrong type.`
  return { status: 400, errcode: 'M_BAD_JSON', error }
}

describe.each(['/get_token', '/sfu/get', '/delegate_delayed_leave'])('%s', (path) => {
  test.each(['id', 'claimed_user_id', 'claimed_device_id'])(
    'refuses a member.%s of more than 1,024 characters',
    async (name) => {
      expect(await answerTo(path, body({ [name]: LONG }, DELAYED))).toEqual(
        badField(`member.${name}`),
      )
    },
  )

  test('accepts IDs of 1,024 characters', async () => {
    const ids = { id: LONGEST, claimed_device_id: LONGEST }
    expect(await answerTo(path, body(ids, { ...DELAYED, delay_id: LONGEST }))).toMatchObject({
      status: 200,
    })
  })

  test('refuses a delay ID of more than 1,024 characters', async () => {
    const more = { ...DELAYED, delay_id: LONG }
    expect(await answerTo(path, body({}, more))).toEqual(badField('delay_id'))
  })

  test.each(['.', '..', ''])('refuses the delay ID %p', async (delay_id) => {
    expect(await answerTo(path, body({}, { ...DELAYED, delay_id }))).toEqual(badField('delay_id'))
  })

  test('accepts a delay of 30 days, but no longer one', async () => {
    const longest = { ...DELAYED, delay_timeout: 2_592_000_000 }
    expect(await answerTo(path, body({}, longest))).toMatchObject({ status: 200 })
    const longer = { ...DELAYED, delay_timeout: 2_592_000_001 }
    expect(await answerTo(path, body({}, longer))).toEqual(badField('delay_timeout'))
  })

  test.each(['...', '.a', '%2e', '/', 'a/../b'])('accepts the delay ID %p', async (delay_id) => {
    expect(await answerTo(path, body({}, { ...DELAYED, delay_id }))).toMatchObject({ status: 200 })
  })
})

test('limits the IDs of a legacy body too', async () => {
  const path = '/sfu/get'
  expect(await answerTo(path, legacyBody({ device_id: LONG }))).toEqual(badField('device_id'))
  for (const delay_id of [LONG, '.', '..']) {
    expect(await answerTo(path, legacyBody({ ...DELAYED, delay_id }))).toEqual(badField('delay_id'))
  }
  const longest = { device_id: LONGEST, ...DELAYED, delay_id: LONGEST }
  expect(await answerTo(path, legacyBody(longest))).toMatchObject({ status: 200 })
})

describe('a device ID that begins like a port', () => {
  const refused = {
    status: 400,
    errcode: 'M_BAD_JSON',
    error: 'The field "device_id" must not begin like a port, as "8449:" does.',
  }

  test.each(['8449:DEV', '1:', '65536:DEV'])(
    'is refused if it could be the port of the server name: %s',
    async (device_id) => {
      expect(await answerTo('/sfu/get', legacyBody({ device_id }))).toEqual(refused)
    },
  )

  test.each(['8449', ':8449:DEV', '123456:DEV', 'A1:DEV', ''])(
    'is accepted if it does not look like a port: %p',
    async (device_id) => {
      expect(await answerTo('/sfu/get', legacyBody({ device_id }))).toMatchObject({ status: 200 })
    },
  )

  test('is accepted behind a server name with a port', async () => {
    const { env, homeserver } = stage
    const overrides = `example.com:8449=${homeserver.url}`
    await using other = await startTestApp({
      env: { ...env, LIVEKIT_FEDERATION_URL_OVERRIDES: overrides },
    })
    const access_token = homeserver.issueOpenIdToken('@alice:example.com:8449')
    const openid_token = { access_token, matrix_server_name: 'example.com:8449' }
    const sent = legacyBody({ openid_token, device_id: '1:DEV' })
    expect((await other.post('/sfu/get', sent)).status).toBe(200)
  })

  test('is accepted in the form with hashed identities', async () => {
    const sent = body({ claimed_device_id: '8449:DEV' })
    expect(await answerTo('/sfu/get', sent)).toMatchObject({ status: 200 })
  })
})

test.each([
  ['a', '…'],
  ['bc', '…'],
  ['def', 'd…'],
  ['ghijk', 'g…'],
  ['lmnopqr', 'lm…'],
  ['syd_abcdefghijklm', 'syd_a…'],
  ['syd_nopqrstuvwxyzn', 'syd_no…'],
  [`syd_${'z'.repeat(60)}`, 'syd_zz…'],
])('logs the delay ID %s as %s', async (delay_id, shown) => {
  const requestId = `request-${delay_id.length}`
  const sent = body({ id: `member-${delay_id.length}` }, { ...DELAYED, delay_id })
  expect(await answerTo('/delegate_delayed_leave', sent, requestId)).toEqual({ status: 200 })
  const { identity } = await until(() =>
    app.log.find(({ request_id, identity }) => request_id === requestId && identity !== undefined),
  )
  await sfu.sendWebhook(`${app.url}/sfu_webhook`, {
    event: 'participant_connection_aborted',
    room: { name: ROOM },
    participant: { identity: String(identity) },
  })
  const line = await until(() =>
    app.log.find((each) => each.to === 'dropped' && each.identity === identity),
  )
  expect(line.delay_id).toBe(shown)
  if (delay_id.length > 3) expect(JSON.stringify(app.log)).not.toContain(`${delay_id}"`)
})
