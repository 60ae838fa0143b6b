import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { type ServiceStage, startServiceStage } from '../support/service-stage.ts'
import { until } from '../support/until.ts'

let app: TestApp
let stage: ServiceStage

beforeAll(async () => {
  stage = await startServiceStage()
  ;({ app } = stage)
})
afterAll(() => stage.close())

function getTokenBody() {
  return {
    room_id: '!roomid:example.com',
    slot_id: 'slot1234',
    openid_token: stage.openIdToken(),
    member: {
      id: 'memberABC',
      claimed_user_id: '@alice:example.com',
      claimed_device_id: 'DEVICE123',
    },
  }
}

test('logs the outcome of an exchange without secrets', async () => {
  const body = getTokenBody()
  const response = await app.post('/get_token', body)
  const requestId = response.headers.get('x-request-id')
  const { jwt } = (await response.json()) as { readonly jwt: string }
  const line = await until(() => app.log.find((each) => each.request_id === requestId))
  expect(line).toMatchObject({
    level: 'info',
    message: 'request',
    method: 'POST',
    route: '/get_token',
    status: 200,
    server_name: 'example.com',
    access: 'full',
    outcome: 'ok',
    room: 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc',
    identity: 'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU',
  })
  const log = JSON.stringify(app.log)
  expect(log).not.toContain(jwt)
  expect(log).not.toContain(body.openid_token.access_token)
  expect(log).not.toContain(CREDENTIALS.apiSecret)
})

test('truncates an overlong server name in the log', async () => {
  const openid_token = { access_token: 'x', matrix_server_name: 'x'.repeat(60_000) }
  const response = await app.post('/get_token', { ...getTokenBody(), openid_token })
  expect(response.status).toBe(401)
  const requestId = response.headers.get('x-request-id')
  const line = await until(() => app.log.find((each) => each.request_id === requestId))
  expect(line).toMatchObject({ server_name: 'x'.repeat(262), cause: 'not a valid server name' })
})
