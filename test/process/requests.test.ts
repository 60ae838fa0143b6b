import { expect, test } from 'bun:test'
import { USERINFO_PATH } from '../../src/matrix/openid.ts'
import { twirpError } from '../support/sfu.ts'
import { until } from '../support/until.ts'
import { logLines, required } from './commands.ts'
import { startStage } from './stage.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

test('each request is logged as one line with its outcome', async () => {
  await using stage = await startStage()
  const { running, homeserver, sfu } = stage
  const requests = () => logLines(running.output()).filter(({ route }) => route === '/get_token')

  const token = homeserver.issueOpenIdToken('@alice:example.com')
  expect((await stage.exchange(token, { 'x-request-id': 'trace-1' })).status).toBe(200)
  expect((await stage.exchange('unknown', { 'x-request-id': 'trace-2' })).status).toBe(401)
  sfu.respond('CreateRoom', twirpError(503, 'unavailable', 'hunter2'))
  expect((await stage.exchange(token, { 'x-request-id': 'trace-3' })).status).toBe(500)
  await until(() => requests().length === 3)

  const common = {
    time: expect.any(String),
    message: 'request',
    method: 'POST',
    route: '/get_token',
    duration_ms: expect.any(Number),
    server_name: 'example.com',
    room: 'krj2dgxw2K6EOm9he4GfQJ6JsSVWfJ8a7BkyjZcSmxs',
  }
  expect(requests()).toEqual([
    {
      ...common,
      level: 'info',
      request_id: 'trace-1',
      status: 200,
      access: 'full',
      identity: 'jN945p8h2jgPH6oDXtJVnB9qXqGe54Uk0/HuBugDFL0',
      outcome: 'ok',
    },
    {
      ...common,
      level: 'info',
      request_id: 'trace-2',
      status: 401,
      outcome: 'M_UNAUTHORIZED',
      step: 'userinfo',
      cause: `status 401, M_UNKNOWN_TOKEN, for ${USERINFO_PATH} from ${homeserver.url}`,
      code: 'federation.token-refused',
      remedy:
        'If it happens to all users of your homeserver: /.well-known/matrix/server, or ' +
        'LIVEKIT_FEDERATION_URL_OVERRIDES, leads to another one.',
    },
    {
      ...common,
      level: 'error',
      request_id: 'trace-3',
      status: 500,
      access: 'full',
      identity: 'jN945p8h2jgPH6oDXtJVnB9qXqGe54Uk0/HuBugDFL0',
      outcome: 'M_UNKNOWN',
      step: 'sfu',
      cause: expect.stringMatching(
        /^status 503, unavailable, at http:\/\/\S+\/twirp\/livekit\.RoomService\/CreateRoom$/,
      ),
      code: 'sfu.unavailable',
      remedy: "Check LiveKit's log; if a proxy answers, whether LiveKit runs behind it.",
    },
  ])
})

test('a well-formed X-Request-Id is kept, and any other replaced', async () => {
  await using stage = await startStage()
  const idFor = async (given?: string) => {
    const headers = given === undefined ? {} : { 'x-request-id': given }
    const response = await fetch(`${stage.running.url}/healthz`, { headers })
    return response.headers.get('x-request-id')
  }
  for (const given of ['a', 'Root=1-5759e988-bd862e3fe1be46a994272793', 'x'.repeat(128)]) {
    expect(await idFor(given)).toBe(given)
  }
  for (const given of [undefined, '', 'x'.repeat(129), 'two words', '{"json"}', 'ü']) {
    expect(await idFor(given)).toMatch(uuid)
  }
})

test('no log level ever prints a secret', async () => {
  await using stage = await startStage()
  const { running, homeserver, sfu } = stage
  const token = homeserver.issueOpenIdToken('@alice:example.com')
  const secrets = [token, 'unknown-openid-token', required.LIVEKIT_SECRET, 'hunter2']

  const { jwt } = (await (await stage.exchange(token)).json()) as { jwt: string }
  secrets.push(jwt, ...jwt.split('.'))
  await stage.exchange('unknown-openid-token')
  await stage.exchange(token, { authorization: 'Bearer hunter2', cookie: 'hunter2' })
  sfu.respond('CreateRoom', twirpError(401, 'unauthenticated', 'hunter2'))
  await stage.exchange(token)
  sfu.respond('CreateRoom', { kind: 'close' })
  await stage.exchange(token)
  homeserver.respond('/_matrix/federation/v1/openid/userinfo', { kind: 'close' })
  await stage.exchange(token)
  for (const body of [`{"openid_token":"${token}"}`, token, `{"room_id":"hunter2"}`, '']) {
    for (const path of ['/get_token', '/sfu/get', '/elsewhere']) {
      await fetch(`${running.url}${path}?access_token=${token}`, { method: 'POST', body })
    }
  }
  expect(await running.stop()).toBe(0)

  const output = running.output()
  expect(logLines(output).filter(({ message }) => message === 'request').length).toBeGreaterThan(13)
  for (const secret of secrets) expect(output).not.toContain(secret)
  expect(output).not.toContain('access_token=')
})
