import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Stage, setStage } from '../support/federation-stage.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { accessHomeservers } from './homeserver-access.ts'

const PATH = '/.well-known/matrix/client'
const START = Date.UTC(2030, 0, 1)
const MINUTE = 60_000
const HOUR = 60 * MINUTE

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  stage.point('origin.test', '127.0.0.1')
})
afterAll(() => stage.close())

function lookUps({ requests }: Homeserver): number {
  return requests.filter(({ path }) => path === PATH).length
}

function naming(baseUrl: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return reply(200, { 'm.homeserver': { base_url: baseUrl } }, headers)
}

/** Locates the client API of `origin.test`, whose web server gives these answers. */
async function startWith(...answers: Answer[]) {
  const origin = await stage.homeserver({ dns: ['origin.test'] })
  origin.respond(PATH, ...answers)
  const clock = { now: START }
  const tuning = { wellKnownPort: origin.port, wellKnownTimeoutMs: 1_000 }
  const { locator } = accessHomeservers(stage, { now: () => clock.now, tuning })
  return {
    origin,
    locate: () => locator.locate('origin.test'),
    /** Locates this many milliseconds after the start; returns the number of look-ups so far. */
    async lookUpsAt(sinceStart: number) {
      clock.now = START + sinceStart
      await locator.locate('origin.test')
      return lookUps(origin)
    },
  }
}

test('caches a located client API for six hours by default', async () => {
  const { lookUpsAt } = await startWith(naming('https://hs.test'))
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(6 * HOUR - 1)).toBe(1)
  expect(await lookUpsAt(6 * HOUR + 1)).toBe(2)
})

test.each([
  ['max-age=7200', 2 * HOUR],
  ['max-age=99999999', 24 * HOUR],
  ['no-store', 5 * MINUTE],
  ['max-age=1', 5 * MINUTE],
])('caches a located client API with Cache-Control: %s for %p ms', async (cacheControl, ttlMs) => {
  const headers = { 'cache-control': cacheControl }
  const { lookUpsAt } = await startWith(naming('https://hs.test', headers))
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(ttlMs - 1)).toBe(1)
  expect(await lookUpsAt(ttlMs + 1)).toBe(2)
})

test.each([
  ['a missing document', reply(404)],
  ['an error', reply(500)],
  ['nonsense', { kind: 'invalid-json' }],
  ['a closed connection', { kind: 'close' }],
] as const)('is looked up again a minute after %s', async (_what, answer) => {
  const { locate, lookUpsAt } = await startWith(answer, naming('https://hs.test'))
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(MINUTE - 1)).toBe(1)
  expect(await lookUpsAt(MINUTE + 1)).toBe(2)
  expect(await locate()).toEqual({ kind: 'found', baseUrl: 'https://hs.test' })
})

test('keeps a located client API while the homeserver is away, and retries every minute', async () => {
  const away = [reply(503), reply(429), { kind: 'hang' }] as const
  const { locate, lookUpsAt } = await startWith(
    naming('https://a.test'),
    ...away,
    naming('https://b.test'),
  )
  expect(await lookUpsAt(0)).toBe(1)
  for (const [index] of away.entries()) {
    expect(await lookUpsAt(6 * HOUR + (index + 1) * (MINUTE + 1))).toBe(index + 2)
    expect(await locate()).toEqual({ kind: 'found', baseUrl: 'https://a.test' })
  }
  expect(await lookUpsAt(7 * HOUR)).toBe(5)
  expect(await locate()).toEqual({ kind: 'found', baseUrl: 'https://b.test' })
})

test('forgets a located client API when the homeserver says that there is none', async () => {
  const { origin, locate, lookUpsAt } = await startWith(naming('https://a.test'), reply(404))
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(7 * HOUR)).toBe(2)
  const peer = `origin.test at 127.0.0.1 port ${origin.port}`
  expect(await locate()).toEqual({
    kind: 'none',
    trouble: {
      code: 'client-api.no-well-known',
      found: `status 404, for /.well-known/matrix/client from ${peer}`,
    },
  })
})

test('shares one look-up among concurrent callers', async () => {
  const body = { 'm.homeserver': { base_url: 'https://hs.test' } }
  const { origin, locate } = await startWith({ kind: 'slow-body', everyMs: 2, body })
  const located = await Promise.all(Array.from({ length: 20 }, locate))
  expect(new Set(located.map(({ kind }) => kind))).toEqual(new Set(['found']))
  expect(lookUps(origin)).toBe(1)
})
