import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { createFederation, type Federation } from '../../src/matrix/federation.ts'
import { createServerGates } from '../../src/matrix/server-gates.ts'
import { ALLOW_ALL } from '../../src/net/networks.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

test("slow homeservers of strangers take 32 places, and none of those of the operator's", async () => {
  const strangers = Array.from({ length: 7 }, (_, index) => `stranger-${index}.test`)
  const names = [...strangers, 'operator.test']
  for (const name of names) stage.point(name, '127.0.0.1')
  const homeserver = await stage.homeserver({ dns: names })
  const { port } = homeserver
  const placed = stage.keep(await startHomeserver())
  const service = await stage.service({
    env: {
      LIVEKIT_FULL_ACCESS_HOMESERVERS: `operator.test:${port}`,
      LIVEKIT_FEDERATION_URL_OVERRIDES: `override.test=${placed.url}`,
    },
    tuning: { exchangeTimeoutMs: 3_000 },
  })
  const { promise: enough, resolve: release } = Promise.withResolvers<void>()
  homeserver.respond('/_matrix/*', async ({ host }) => {
    if (host.startsWith('stranger-')) await enough
    return reply(401, {})
  })
  const held = strangers.flatMap((name) =>
    Array.from({ length: 16 }, () => service.ask(`${name}:${port}`)),
  )
  await until(() => homeserver.requests.length >= 32)
  for (const name of [`operator.test:${port}`, 'override.test']) {
    expect(await service.ask(name)).toMatchObject({ status: 401, step: 'userinfo' })
  }
  expect(homeserver.requests.filter(({ host }) => host.startsWith('stranger-'))).toHaveLength(32)
  release()
  await Promise.all(held)
})

test.each([
  ['Hs.test', 'hS.TEST', 'hs.test.'],
  ['[::1]', '[0:0:0:0:0:0:0:1]', '[::0001]'],
])(
  'sixteen requests at a time go to one server, however it is spelled: %s, %s, %s',
  async (...spellings) => {
    stage.point('hs.test', '::1')
    const names = { dns: ['hs.test', 'hs.test.'], ip: ['::1'] }
    const homeserver = await stage.homeserver(names, { hostname: '::1' })
    const { promise: enough, resolve: release } = Promise.withResolvers<void>()
    homeserver.respond('/_matrix/*', async () => {
      await enough
      return reply(401, {})
    })
    const service = await stage.service({ config: { verifyTls: false } })
    const asked = spellings.flatMap((spelling) =>
      Array.from({ length: 10 }, () => service.ask(`${spelling}:${homeserver.port}`)),
    )
    await until(() => homeserver.requests.length >= 16)
    await Bun.sleep(100)
    expect(homeserver.requests).toHaveLength(16)
    release()
    await Promise.all(asked)
  },
)

/** A federation client with one place, whose homeservers never answer. */
function narrowFederation(): { federation: Federation; asked: () => string[] } {
  const asked: string[] = []
  const limits = { perKey: 1, total: 1, maxWaiting: 0 }
  const federation = createFederation({
    discovery: {
      discover({ text }) {
        asked.push(text)
        return new Promise(() => {})
      },
    },
    client: { check: async () => {}, request: () => new Promise(() => {}) },
    direct: () => new Promise(() => {}),
    isNamed: (name) => name.startsWith('mine'),
    policyFor: () => ALLOW_ALL,
    overrides: new Map(),
    timeoutMs: 200,
    gates: createServerGates({ named: limits, proven: limits, others: limits }, Date.now),
  })
  return { federation, asked: () => asked }
}

test('refuses an invalid server name without queueing it', async () => {
  const { federation, asked } = narrowFederation()
  const outcome = (name: string) => federation.get(name, '/').catch((error) => error)
  const held = outcome('hs.test')
  expect(await outcome('other.test')).toMatchObject({ step: 'queue' })
  expect(await outcome('no name')).toMatchObject({
    step: 'server-name',
    message: 'not a valid server name',
  })
  expect(await held).toMatchObject({ step: 'discovery', message: 'timeout after 0.2 s' })
  expect(asked()).toEqual(['hs.test'])
})

test('servers that the operator named wait only for each other', async () => {
  const { federation, asked } = narrowFederation()
  const outcome = (name: string) => federation.get(name, '/').catch((error) => error)
  const held = [outcome('hs.test'), outcome('mine.test')]
  expect(await outcome('mine-too.test')).toMatchObject({
    step: 'queue',
    message: 'too many requests are waiting',
  })
  await Promise.all(held)
  expect(asked()).toEqual(['hs.test', 'mine.test'])
})

test('servers that answered lately do not wait for unknown ones, until they expire', async () => {
  const strangers = Array.from({ length: 3 }, (_, index) => `silent-${index}.test`)
  const names = [...strangers, 'proven.test']
  for (const name of names) stage.point(name, '127.0.0.1')
  const homeserver = await stage.homeserver({ dns: names })
  const { port } = homeserver
  const time = { now: Date.now() }
  const service = await stage.service({
    now: () => time.now,
    tuning: { exchangeTimeoutMs: 1_000 },
  })
  homeserver.respond('/_matrix/*', ({ host }) =>
    host.startsWith('silent-') ? { kind: 'hang' } : reply(401, {}),
  )
  const askProven = () => service.ask(`proven.test:${port}`)
  expect(await askProven()).toMatchObject({ step: 'userinfo' })

  const asked = () => homeserver.requests.filter(({ host }) => host.startsWith('silent-')).length
  /** Which server is answered first while unknown servers hold all their places. */
  async function firstOfAll(): Promise<string> {
    const before = asked()
    const held = strangers.flatMap((name) =>
      Array.from({ length: 16 }, () => service.ask(`${name}:${port}`)),
    )
    await until(() => asked() === before + 32)
    const proven = askProven()
    const first = await Promise.race([
      proven.then(() => 'proven'),
      ...held.map((outcome) => outcome.then(() => 'stranger')),
    ])
    await Promise.all([proven, ...held])
    return first
  }
  expect(await firstOfAll()).toBe('proven')
  time.now += 600_001
  expect(await firstOfAll()).toBe('stranger')
})

test.each(['others', 'proven'])(
  'one client that names silent servers takes half of the places of %s, and leaves the rest to others',
  async (kind) => {
    const silent = Array.from({ length: 48 }, (_, index) => `silent-${index}.test`)
    for (const name of [...silent, 'good.test']) stage.point(name, '127.0.0.1')
    const homeserver = await stage.homeserver({ dns: [...silent, 'good.test'] })
    const service = await stage.service({ env: { LIVEKIT_RATE_LIMIT: 'on' } })
    const ask = (name: string, client: string) => {
      const token = { access_token: 'token', matrix_server_name: `${name}:${homeserver.port}` }
      const body = { room: '!room:example.com', openid_token: token, device_id: 'DEVICE' }
      return service.post('/sfu/get', body, { 'X-Forwarded-For': client })
    }
    homeserver.respond('/_matrix/*', reply(401, {}))
    if (kind === 'proven') await Promise.all(silent.map((name) => ask(name, '9.9.9.8')))
    if (kind === 'proven') await ask('good.test', '9.9.9.8')

    const { promise: enough, resolve: release } = Promise.withResolvers<void>()
    homeserver.respond('/_matrix/*', async ({ host }) => {
      if (host.startsWith('silent-')) await enough
      return reply(401, {})
    })
    const before = homeserver.requests.length
    const held = silent.map((name) => ask(name, '9.9.9.9'))
    await until(() => homeserver.requests.length - before >= 14)
    expect((await ask('good.test', '1.2.3.4')).status).toBe(401)
    const asked = homeserver.requests.slice(before).map(({ host }) => host.replace(/-.*/, ''))
    const taken = asked.filter((host) => host === 'silent')
    expect(taken.length).toBeLessThan(silent.length)
    expect(asked.at(-1)).toStartWith('good.test')
    release()
    await Promise.all(held)
  },
)
