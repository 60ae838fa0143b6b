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

test('500 people behind one address start a call in the same second', async () => {
  await start()
  const statuses = await statusesOf(500, (i) => ask('203.0.113.7', body(`@user${i}:example.com`)))
  expect(statuses).toEqual({ 200: 500 })
})

test('who does nothing but fail may do so 500 times, then 25 times a second', async () => {
  await start()
  const fail = () => ask('203.0.113.7', body('@alice:example.com', 'made up'))
  expect(await statusesOf(600, fail)).toEqual({ 401: 500, 429: 100 })
  const failures: number[] = []
  for (let second = 0; second < 4; second += 1) {
    now += 1_000
    failures.push((await statusesOf(100, fail))[401] ?? 0)
  }
  // Requests under way at the same time are paid for afterwards.
  expect(failures).toEqual([50, 0, 50, 0])
  expect((await ask('203.0.113.8', body())).status).toBe(200)
})

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

test('a verified user may ask 20 times, then twice a second, from wherever', async () => {
  await start()
  const send = (i: number) => ask(`203.0.113.${i % 200}`, body())
  expect(await statusesOf(30, send)).toEqual({ 200: 20, 429: 10 })
  now += 1_000
  expect(await statusesOf(10, send)).toEqual({ 200: 2, 429: 8 })
  expect((await ask('203.0.113.7', body('@bob:example.com'))).status).toBe(200)
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

test('a proxy that does not say for whom it asks is not limited, and warned of once', async () => {
  await start({ LIVEKIT_RATE_LIMIT: '1/1' })
  expect(await statusesOf(20, () => ask(undefined, {}))).toEqual({ 400: 20 })
  const warnings = app.log.filter(({ level }) => level === 'warn')
  expect(warnings).toEqual([
    expect.objectContaining({
      message:
        'clients behind this proxy are not limited by address: it sends no usable X-Forwarded-For',
      proxy: '127.0.0.1',
    }),
  ])
})

test('hints at a proxy that is not trusted, after 100 requests from it alone', async () => {
  await start({ LIVEKIT_RATE_LIMIT: '1000/1000', LIVEKIT_TRUSTED_PROXIES: 'none' })
  await statusesOf(99, () => ask('203.0.113.7', {}))
  expect(app.log.filter(({ level }) => level === 'warn')).toEqual([])
  await statusesOf(200, () => ask('203.0.113.8', {}))
  expect(app.log.filter(({ level }) => level === 'warn')).toEqual([
    expect.objectContaining({
      message:
        'all requests come from one private address and share its limit: if it is your proxy, add ' +
        'it to LIVEKIT_TRUSTED_PROXIES',
      address: '127.0.0.1',
    }),
  ])
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

test('what operators and the SFU ask is not limited', async () => {
  await start({ LIVEKIT_RATE_LIMIT: '1/1' })
  const headers = { 'X-Forwarded-For': '203.0.113.7' }
  const get = (path: string) => () => fetch(app.url + path, { headers })
  const webhook = () => fetch(`${app.url}/sfu_webhook`, { method: 'POST', headers })
  expect(await statusesOf(10, get('/healthz'))).toEqual({ 200: 10 })
  expect(await statusesOf(10, get('/swagger/json'))).toEqual({ 200: 10 })
  expect(await statusesOf(10, webhook)).toEqual({ 401: 10 })
})

test('off turns off every limit on requests', async () => {
  await start({ LIVEKIT_RATE_LIMIT: 'off' })
  expect(await statusesOf(40, () => ask('203.0.113.7', body()))).toEqual({ 200: 40 })
})
