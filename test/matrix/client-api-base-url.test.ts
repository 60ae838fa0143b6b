import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { accessHomeservers } from './homeserver-access.ts'

const PATH = '/.well-known/matrix/client'
const NO_BASE_URL = {
  code: 'client-api.bad-well-known',
  found: '"base_url" of "m.homeserver" is no https URL',
} as const

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  stage.point('origin.test', '127.0.0.1')
})
afterAll(() => stage.close())

function naming(baseUrl: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return reply(200, { 'm.homeserver': { base_url: baseUrl } }, headers)
}

/** Locates the client API of `origin.test`, whose web server answers so. */
async function startWith(answer: Answer) {
  const origin = await stage.homeserver({ dns: ['origin.test'] })
  origin.respond(PATH, answer)
  const tuning = { wellKnownPort: origin.port }
  const { locator } = accessHomeservers(stage, { tuning })
  return { locate: () => locator.locate('origin.test') }
}

describe('the base URL in well-known', () => {
  test.each([
    ['https://matrix.origin.test', 'https://matrix.origin.test'],
    ['https://matrix.origin.test/', 'https://matrix.origin.test'],
    ['https://matrix.origin.test:8448//', 'https://matrix.origin.test:8448'],
    ['https://matrix.origin.test:443', 'https://matrix.origin.test'],
    ['https://origin.test/matrix/hs/', 'https://origin.test/matrix/hs'],
    ['HTTPS://Origin.Test/Path', 'https://origin.test/Path'],
    ['https://[::1]:8448', 'https://[::1]:8448'],
    ['https://b\u00fccher.test', 'https://xn--bcher-kva.test'],
  ])('%s is normalised to %s', async (given, baseUrl) => {
    const { locate } = await startWith(naming(given))
    expect(await locate()).toEqual({ kind: 'found', baseUrl })
  })

  test.each([
    'http://matrix.origin.test',
    'https://user:hunter2@matrix.origin.test',
    'https://user@matrix.origin.test',
    'https://:hunter2@matrix.origin.test',
    'https://matrix_1.origin.test',
    'https://matrix..origin.test',
    'https://matrix.origin.test:0',
    'https://*',
    'https://matrix.origin.test?x=1',
    'https://matrix.origin.test#x',
    'matrix.origin.test',
    'https://',
    'file:///etc/passwd',
    '',
    7,
    null,
    { url: 'https://matrix.origin.test' },
  ])('%p is unusable', async (given) => {
    const { locate } = await startWith(naming(given))
    expect(await locate()).toEqual({ kind: 'none', trouble: NO_BASE_URL })
  })

  test('is unusable when it is long, and does not block other requests', async () => {
    const { locate } = await startWith(naming(`https://origin.test/${'/'.repeat(60_000)}x`))
    const start = performance.now()
    expect(await locate()).toEqual({ kind: 'none', trouble: NO_BASE_URL })
    expect(performance.now() - start).toBeLessThan(500)
  })

  test.each([
    ['another document', reply(200, { 'm.server': 'hs.test:443' })],
    ['a list', reply(200, [])],
    ['no JSON', { kind: 'invalid-json' }],
    ['nothing', reply(200)],
  ] as const)('is missing from %s', async (_what, answer) => {
    const { locate } = await startWith(answer)
    expect(await locate()).toEqual({ kind: 'none', trouble: NO_BASE_URL })
  })

  test('may be in a document with CORS headers and a text content type', async () => {
    const headers = { 'content-type': 'text/plain', 'access-control-allow-origin': '*' }
    const { locate } = await startWith(naming('https://hs.test', headers))
    expect(await locate()).toEqual({ kind: 'found', baseUrl: 'https://hs.test' })
  })
})
