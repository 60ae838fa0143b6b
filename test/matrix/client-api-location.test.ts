import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { accessHomeservers } from './homeserver-access.ts'

const PATH = '/.well-known/matrix/client'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  for (const host of ['origin.test', 'www.test']) stage.point(host, '127.0.0.1')
})
afterAll(() => stage.close())

function lookUps({ requests }: Homeserver): number {
  return requests.filter(({ path }) => path === PATH).length
}

function naming(baseUrl: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return reply(200, { 'm.homeserver': { base_url: baseUrl } }, headers)
}

/** Locates the client API of `origin.test`, whose web server answers so. */
async function startWith(answer: Answer) {
  const origin = await stage.homeserver({ dns: ['origin.test', 'www.test'] })
  origin.respond(PATH, answer)
  const tuning = { wellKnownPort: origin.port, wellKnownTimeoutMs: 1_000 }
  const { locator } = accessHomeservers(stage, { tuning })
  return { origin, locate: () => locator.locate('origin.test') }
}

describe('an override', () => {
  const env = { LIVEKIT_CS_API_URL_OVERRIDES: 'origin.test=http://10.0.0.1:8008/prefix/' }

  test('wins over well-known, which is not asked', async () => {
    const origin = await stage.homeserver({ dns: ['origin.test'] })
    origin.setWellKnownClient('https://elsewhere.test')
    const { locator } = accessHomeservers(stage, { env, tuning: { wellKnownPort: origin.port } })
    expect(await locator.locate('origin.test')).toEqual({
      kind: 'found',
      baseUrl: 'http://10.0.0.1:8008/prefix',
    })
    expect(origin.requests).toEqual([])
  })

  test('applies only to its own server name', async () => {
    const origin = await stage.homeserver({ dns: ['origin.test'] })
    origin.setWellKnownClient('https://elsewhere.test')
    const { locator } = accessHomeservers(stage, { env, tuning: { wellKnownPort: origin.port } })
    expect(await locator.locate('ORIGIN.test')).toEqual({
      kind: 'found',
      baseUrl: 'https://elsewhere.test',
    })
  })
})

describe('well-known', () => {
  test('is asked over TLS, at the name itself', async () => {
    const { origin, locate } = await startWith(naming('https://hs.test'))
    await locate()
    expect(
      origin.requests.map(({ method, host, sni, path }) => ({ method, host, sni, path })),
    ).toEqual([
      { method: 'GET', host: `origin.test:${origin.port}`, sni: 'origin.test', path: PATH },
    ])
  })

  test('is asked at the port of a name that has one', async () => {
    const origin = await stage.homeserver({ dns: ['origin.test'] })
    origin.setWellKnownClient('https://hs.test')
    const { locator } = accessHomeservers(stage)
    const name = `origin.test:${origin.port}`
    expect(await locator.locate(name)).toEqual({ kind: 'found', baseUrl: 'https://hs.test' })
    expect(origin.requests[0]?.host).toBe(name)
  })

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]'],
  ])('is requested at the IP address %s', async (hostname, authority) => {
    const origin = await stage.homeserver({ ip: [hostname] }, { hostname })
    origin.setWellKnownClient('https://hs.test')
    const { locator } = accessHomeservers(stage)
    expect(await locator.locate(`${authority}:${origin.port}`)).toEqual({
      kind: 'found',
      baseUrl: 'https://hs.test',
    })
  })

  test('is not requested for an invalid server name', async () => {
    const { locator } = accessHomeservers(stage)
    for (const name of ['', 'a b', 'origin.test/path', 'user@origin.test', '127.1', '[::1']) {
      expect(await locator.locate(name)).toEqual({
        kind: 'none',
        trouble: { code: 'client-api.invalid-name', found: 'not a valid server name' },
      })
    }
  })

  test('is refused with a certificate of another name', async () => {
    const origin = await stage.homeserver({ dns: ['www.test'] })
    origin.setWellKnownClient('https://hs.test')
    const { locator } = accessHomeservers(stage, { tuning: { wellKnownPort: origin.port } })
    expect(await locator.locate('origin.test')).toEqual({
      kind: 'unknown',
      trouble: {
        code: 'client-api.certificate-for-another-name',
        found: `origin.test at 127.0.0.1 port ${origin.port}: certificate is for another name`,
      },
    })
    expect(origin.requests).toEqual([])
  })

  test('is followed where it redirects to https', async () => {
    const target = await stage.homeserver({ dns: ['www.test'] })
    target.respond('/client.json', naming('https://hs.test'))
    const location = `https://www.test:${target.port}/client.json?x=1`
    const { locate } = await startWith({ kind: 'redirect', location, status: 308 })
    expect(await locate()).toEqual({ kind: 'found', baseUrl: 'https://hs.test' })
    expect(target.requests[0]).toMatchObject({ host: `www.test:${target.port}`, sni: 'www.test' })
  })

  test('is not followed where it redirects to http', async () => {
    const target = stage.keep(await startHomeserver())
    const location = `http://www.test:${target.port}/client.json`
    const { locate } = await startWith({ kind: 'redirect', location })
    expect(await locate()).toEqual({
      kind: 'unknown',
      trouble: { code: 'client-api.bad-redirect', found: 'redirect to a URL that is not https' },
    })
    expect(target.connections()).toBe(0)
  })

  test('stops at a redirect loop', async () => {
    const { origin, locate } = await startWith({ kind: 'redirect', location: PATH })
    expect(await locate()).toEqual({
      kind: 'unknown',
      trouble: { code: 'client-api.bad-redirect', found: 'more than 5 redirects' },
    })
    expect(lookUps(origin)).toBe(6)
  })

  test.each([
    ['status 404, M_NOT_FOUND', 'none', 'no-well-known', reply(404, { errcode: 'M_NOT_FOUND' })],
    ['status 403', 'none', 'no-well-known', reply(403)],
    ['status 429', 'unknown', 'unavailable', reply(429)],
    ['status 502', 'unknown', 'unavailable', reply(502)],
  ] as const)('that is answered with %s means: %s, %s', async (told, kind, problem, answer) => {
    const { origin, locate } = await startWith(answer)
    const found = `${told}, for ${PATH} from origin.test at 127.0.0.1 port ${origin.port}`
    expect(await locate()).toEqual({ kind, trouble: { code: `client-api.${problem}`, found } })
  })

  test.each([
    ['answer is larger than 64 KiB', 'answer-too-large', { kind: 'oversized', bytes: 70_000 }],
    ['timeout after 1 s', 'timeout', { kind: 'hang' }],
    ['timeout after 1 s', 'timeout', { kind: 'slow-body', everyMs: 100, body: 'x'.repeat(99) }],
  ] as const)('that ends with %s is tried again later: %s', async (found, problem, answer) => {
    const { locate } = await startWith(answer)
    const trouble = { code: `client-api.${problem}`, found } as const
    expect(await locate()).toEqual({ kind: 'unknown', trouble })
  })

  test('of a server that closes the connection is tried again later', async () => {
    const { origin, locate } = await startWith({ kind: 'close' })
    expect(await locate()).toEqual({
      kind: 'unknown',
      trouble: {
        code: 'client-api.closed',
        found: `origin.test at 127.0.0.1 port ${origin.port}: connection closed by the server`,
      },
    })
  })

  test('of a server that does not listen is tried again later', async () => {
    const port = await findClosedPort()
    const { locator } = accessHomeservers(stage, { tuning: { wellKnownPort: port } })
    expect(await locator.locate('origin.test')).toEqual({
      kind: 'unknown',
      trouble: {
        code: 'client-api.refused',
        found: `origin.test at 127.0.0.1 port ${port}: connection refused`,
      },
    })
  })

  test('is not asked at a denied address', async () => {
    const watch = stage.keep(await startHomeserver({ hostname: '127.0.0.9' }))
    stage.point('inside.test', '127.0.0.9')
    const { locator } = accessHomeservers(stage, { tuning: { wellKnownPort: watch.port } })
    const denied = {
      kind: 'unknown',
      trouble: {
        code: 'client-api.denied-address',
        found: 'address 127.0.0.9 is denied by 127.0.0.0/8',
        subject: '127.0.0.9',
      },
    } as const
    expect(await locator.locate('inside.test')).toEqual(denied)
    expect(await locator.locate(`127.0.0.9:${watch.port}`)).toEqual(denied)
    expect(watch.connections()).toBe(0)
  })

  test('is asked at a denied address of a server that is listed by name', async () => {
    const origin = await stage.homeserver({ dns: ['operator.test'] }, { hostname: '127.0.0.9' })
    origin.setWellKnownClient('https://hs.test')
    stage.point('operator.test', '127.0.0.9')
    const { locator } = accessHomeservers(stage, { tuning: { wellKnownPort: origin.port } })
    expect(await locator.locate('operator.test')).toEqual({
      kind: 'found',
      baseUrl: 'https://hs.test',
    })
  })
})
