import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  stage.point('hs.test', '127.0.0.1')
  stage.point('inside.test', '127.0.0.9')
})
afterAll(() => stage.close())

test.each([
  ['a denied address', 'https://127.0.0.9', '127.0.0.9', 'denied-address'],
  ['a host whose address is denied', 'https://inside.test/path', '127.0.0.9', 'denied-address'],
  ['a host without an address', 'https://nowhere.test', 'has no address', 'no-address'],
])('refuses a delegation whose client API leads to %s', async (_, baseUrl, cause, problem) => {
  const inside = stage.keep(await startHomeserver({ hostname: '127.0.0.9' }))
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  const { port } = homeserver
  homeserver.respond(
    '/.well-known/matrix/client',
    reply(200, { 'm.homeserver': { base_url: baseUrl.replace('/path', `:${inside.port}`) } }),
  )
  const service = await stage.service({
    env: { LIVEKIT_FULL_ACCESS_HOMESERVERS: '*' },
    tuning: { wellKnownPort: port, federationPort: port },
  })
  const response = await service.post('/delegate_delayed_leave', {
    room_id: '!room:hs.test',
    slot_id: 'm.call#ROOM',
    openid_token: {
      access_token: homeserver.issueOpenIdToken('@alice:hs.test'),
      matrix_server_name: 'hs.test',
    },
    member: { id: 'member', claimed_user_id: '@alice:hs.test', claimed_device_id: 'DEVICE' },
    delay_id: 'syd_1',
    delay_timeout: 10_000,
  })
  expect([response.status, await response.json()]).toEqual([
    400,
    { errcode: 'M_BAD_JSON', error: 'Unable to resolve client-server API' },
  ])
  const line = await until(() => service.log.find(({ step }) => step === 'client-api'))
  expect(line.cause).toContain(cause)
  expect(line.code).toBe(`client-api.${problem}`)
  expect(inside.connections()).toBe(0)
})
