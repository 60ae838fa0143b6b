import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type ServiceStage, startServiceStage } from '../support/service-stage.ts'

let stage: ServiceStage

beforeAll(async () => {
  stage = await startServiceStage({ config: { maxDelegationsPerUser: 2 } })
})
afterAll(() => stage.close())

function body(device: string) {
  return {
    room_id: '!room:example.com',
    slot_id: 'm.call#ROOM',
    openid_token: stage.openIdToken(),
    member: { id: 'member', claimed_user_id: '@alice:example.com', claimed_device_id: device },
    delay_id: `delay-${device}`,
    delay_timeout: 60_000,
  }
}

test('a user at the limit of delegations gets 429 with a time to retry', async () => {
  for (const device of ['A', 'B', 'A']) {
    expect((await stage.app.post('/get_token', body(device))).status).toBe(200)
  }
  for (const path of ['/get_token', '/sfu/get', '/delegate_delayed_leave']) {
    const refused = await stage.app.post(path, body('C'))
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('60')
    expect(refused.headers.get('access-control-allow-origin')).toBe('*')
    expect(await refused.json()).toEqual({
      errcode: 'M_LIMIT_EXCEEDED',
      error: 'Too many delegations.',
      retry_after_ms: 60_000,
    })
  }
  const line = stage.app.log.findLast(({ message }) => message === 'request')
  expect(line).toMatchObject({
    status: 429,
    outcome: 'M_LIMIT_EXCEEDED',
    step: 'limit',
    cause: 'the user has too many delegations',
  })
  const { delay_id, delay_timeout, ...tokenAlone } = body('C')
  expect((await stage.app.post('/get_token', tokenAlone)).status).toBe(200)
})
