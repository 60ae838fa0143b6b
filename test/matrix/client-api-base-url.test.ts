import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { accessHomeservers } from './homeserver-access.ts'

const PATH = '/.well-known/matrix/client'
/** Where the document was asked for, and the kind of it. */
const ASKED = new RegExp(
  `^status 200, for ${PATH} from origin\\.test at 127\\.0\\.0\\.1 port \\d+: (\\S+|no content type), `,
)

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
  return {
    locate: () => locator.locate('origin.test'),
    /** What is wrong with the document. */
    async lack() {
      const location = await locator.locate('origin.test')
      if (location.kind === 'found') return undefined
      expect(location.kind).toBe('none')
      expect(location.trouble.code).toBe('client-api.bad-well-known')
      expect(location.trouble.found).toMatch(ASKED)
      return location.trouble.found.replace(ASKED, '')
    },
  }
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
    ['http://matrix.origin.test', 'is no https URL'],
    ['https://matrix_1.origin.test', 'has no usable host'],
    ['https://matrix..origin.test', 'has no usable host'],
    ['https://matrix.origin.test:0', 'has no usable host'],
    ['https://*', 'has no usable host'],
    ['https://matrix.origin.test?x=1', 'has a query or a fragment'],
    ['https://matrix.origin.test#x', 'has a query or a fragment'],
    ['matrix.origin.test', 'is no https URL'],
    ['https://', 'is no https URL'],
    ['file:///etc/passwd', 'is no https URL'],
  ])('%s is shown, as it %s', async (given, obstacle) => {
    const { lack } = await startWith(naming(given))
    expect(await lack()).toBe(`"base_url" is "${given}", which ${obstacle}`)
  })

  test.each([
    'https://user:hunter2@matrix.origin.test',
    'https://user@matrix.origin.test',
    'http://:hunter2@matrix.origin.test',
  ])('%s has credentials, which are not shown', async (given) => {
    const { lack } = await startWith(naming(given))
    expect(await lack()).toBe('"base_url" has credentials')
  })

  test.each(['', 7, null, { url: 'https://matrix.origin.test' }])('%p is none', async (given) => {
    const { lack } = await startWith(naming(given))
    expect(await lack()).toBe('no "base_url" of "m.homeserver"')
  })

  test('is unusable when it is long, and does not block other requests', async () => {
    const { lack } = await startWith(naming(`https://origin.test/${'/'.repeat(60_000)}x`))
    const start = performance.now()
    expect(await lack()).toBe('"base_url" is too long')
    expect(performance.now() - start).toBeLessThan(500)
  })

  test('is shown in part when it is no URL and long', async () => {
    const { lack } = await startWith(naming('x'.repeat(2_000)))
    expect(await lack()).toBe(`"base_url" is "${'x'.repeat(200)}", which is no https URL`)
  })

  test.each([
    [
      'another document',
      reply(200, { 'm.server': 'hs.test:443' }),
      'no "base_url" of "m.homeserver"',
    ],
    ['a list', reply(200, []), 'no "base_url" of "m.homeserver"'],
    ['no JSON', { kind: 'invalid-json' }, 'no JSON'],
    ['a page', reply(200, '<html>', { 'content-type': 'text/html' }), 'no JSON'],
    ['nothing', reply(200), 'no JSON'],
  ] as const)('is missing from %s', async (_what, answer, expected) => {
    const { lack } = await startWith(answer)
    expect(await lack()).toBe(expected)
  })

  test('may be in a document with CORS headers and a text content type', async () => {
    const headers = { 'content-type': 'text/plain', 'access-control-allow-origin': '*' }
    const { locate } = await startWith(naming('https://hs.test', headers))
    expect(await locate()).toEqual({ kind: 'found', baseUrl: 'https://hs.test' })
  })
})
