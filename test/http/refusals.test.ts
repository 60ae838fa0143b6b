import { afterEach, beforeEach, expect, test } from 'bun:test'
import { startTestApp, type TestApp, type TestAppOptions } from '../support/app.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { until } from '../support/until.ts'

let homeserver: Homeserver
let app: TestApp
let now: number

beforeEach(async () => {
  now = 0
  homeserver = await startHomeserver({ serverName: 'example.com' })
})
afterEach(() => Promise.all([app.close(), homeserver.close()]))

async function start(env: Record<string, string> = {}, options: TestAppOptions = {}) {
  app = await startTestApp({
    ...options,
    monotonicNow: () => now,
    env: {
      LIVEKIT_RATE_LIMIT: 'on',
      LIVEKIT_FULL_ACCESS_HOMESERVERS: 'other.example',
      LIVEKIT_FEDERATION_URL_OVERRIDES: `example.com=${homeserver.url}`,
      ...env,
    },
  })
}

function body(userId = '@alice:example.com', token = homeserver.issueOpenIdToken(userId)) {
  return {
    room_id: '!roomid:example.com',
    slot_id: 'm.call#ROOM',
    openid_token: { access_token: token, matrix_server_name: 'example.com' },
    member: { id: 'memberABC', claimed_user_id: userId, claimed_device_id: 'DEVICE' },
  }
}

function ask(from: string | undefined, sent: unknown): Promise<Response> {
  return app.post('/get_token', sent, from === undefined ? {} : { 'X-Forwarded-For': from })
}

async function statusesOf(count: number, send: (index: number) => Promise<Response>) {
  const statuses: Record<number, number> = {}
  for (let i = 0; i < count; i += 50) {
    const batch = Array.from({ length: Math.min(50, count - i) }, (_, offset) => send(i + offset))
    for (const { status } of await Promise.all(batch))
      statuses[status] = (statuses[status] ?? 0) + 1
  }
  return statuses
}

test('is refused before the body is read and before anything is asked of anyone', async () => {
  await start({ LIVEKIT_RATE_LIMIT: '1/1' })
  expect((await ask('203.0.113.7', {})).status).toBe(400)
  const refused = await ask('203.0.113.7', body())
  expect(refused.status).toBe(429)
  expect(await refused.json()).toEqual({
    errcode: 'M_LIMIT_EXCEEDED',
    error: 'Too many requests.',
    retry_after_ms: 1_000,
  })
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(refused.headers.get('access-control-allow-origin')).toBe('*')
  expect(refused.headers.get('x-request-id')).not.toBeNull()
  expect(homeserver.requests).toEqual([])
})

test('is told which limit was reached, in the log alone', async () => {
  await start({ LIVEKIT_RATE_LIMIT: '1/1' })
  await ask('203.0.113.7', {})
  await ask('203.0.113.7', {})
  const line = await until(() => app.log.find(({ status }) => status === 429))
  expect(line).toMatchObject({
    status: 429,
    outcome: 'M_LIMIT_EXCEEDED',
    step: 'limit',
    cause: 'too many requests of the address',
  })
})

test('tells of refusals once a minute, and how many there were', async () => {
  await start({ LIVEKIT_RATE_LIMIT: '1/1' })
  const told = () => app.log.filter(({ message }) => message === 'too many requests are refused')
  await statusesOf(10, () => ask('203.0.113.7', {}))
  expect(told()).toEqual([
    expect.objectContaining({ level: 'warn', limit: 'address', requests: 1 }),
  ])
  now += 60_000
  await statusesOf(10, () => ask('203.0.113.7', {}))
  expect(told().map(({ requests }) => requests)).toEqual([1, 9])
  const refused = () => app.log.filter(({ status }) => status === 429)
  await until(() => refused().length === 18)
  expect(new Set(refused().map(({ level }) => level))).toEqual(new Set(['debug']))
})

test('a request without Host keeps its address', async () => {
  await start({ LIVEKIT_RATE_LIMIT: '1/1' })
  const send = () => app.app.fetch(bare(), { requestIP: () => ({ address: '203.0.113.7' }) })
  const statuses = [(await send()).status, (await send()).status]
  expect(statuses).toEqual([400, 429])
})

/** As the runtime makes it of a request without `Host`. */
function bare(): Request {
  const request = new Request('http://localhost/get_token', { method: 'POST', body: '{}' })
  return new Proxy(request, {
    get(target, name) {
      if (name === 'url') return '/get_token'
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
