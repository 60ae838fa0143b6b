import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { DelayedEventResult } from '../../src/matrix/client-api.ts'
import type { DelayedEventCode } from '../../src/matrix/delayed-events.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'
import { accessHomeservers, never } from './homeserver-access.ts'

const NOW = Date.UTC(2030, 0, 1, 12)
const GIVEN_UP = unanswered('client-api.given-up', 'given up')
const ENDPOINTS = '/_matrix/client/unstable/org.matrix.msc4140/delayed_events/*'

let stage: Stage
let homeserver: Homeserver

beforeAll(async () => {
  stage = await setStage()
  stage.point('hs.test', '127.0.0.1')
  homeserver = await stage.homeserver({ dns: ['hs.test'] })
})
afterAll(() => stage.close())

function createClient(clientApiTimeoutMs = 5_000) {
  const { clientApi } = accessHomeservers(stage, { now: () => NOW, tuning: { clientApiTimeoutMs } })
  const baseUrl = `https://hs.test:${homeserver.port}`
  return (delayId: string, action: 'restart' | 'send', signal = never()) =>
    clientApi.actOnDelayedEvent({ serverName: 'origin.test', baseUrl, delayId }, action, signal)
}

/** The path as it is shown: the delay ID in it is a secret. */
const FOR_PATH = 'for /delayed_events from hs.test at 127.0.0.1 port'

function answered(code: DelayedEventCode, told: string, retryAfterMs?: number) {
  return { code, told, retryAfterMs } as const
}

function unanswered(code: DelayedEventCode, found: string) {
  return { kind: 'failed', answered: false, trouble: { code, found } } as const
}

/** With the port of the homeserver, which is not known before the test. */
function expectedOf(expected: DelayedEventResult | ReturnType<typeof answered>) {
  if ('kind' in expected) return expected
  const { code, told, retryAfterMs } = expected
  const found = `${told}, ${FOR_PATH} ${homeserver.port}`
  return { kind: 'failed', answered: true, trouble: { code, found }, retryAfterMs } as const
}

function limited(headers: Readonly<Record<string, string>>, more: object = {}): Answer {
  return reply(429, { errcode: 'M_LIMIT_EXCEEDED', error: 'Slow down', ...more }, headers)
}

function tooMany(retryAfterMs?: number) {
  return answered('delayed-events.rate-limited', 'status 429, M_LIMIT_EXCEEDED', retryAfterMs)
}

const TOO_LARGE = unanswered('client-api.answer-too-large', 'answer is larger than 64 KiB')

describe.each(['restart', 'send'] as const)('%s', (action) => {
  test.each([
    ['200', reply(200, {}), { kind: 'done' }],
    ['204', reply(204), { kind: 'done' }],
    ['404 M_NOT_FOUND', reply(404, { errcode: 'M_NOT_FOUND' }), { kind: 'gone' }],
    [
      '404 of something else',
      reply(404, { errcode: 'M_UNKNOWN' }),
      answered('delayed-events.refused', 'status 404, M_UNKNOWN'),
    ],
    [
      '404 of no homeserver',
      reply(404, '<html>'),
      answered('delayed-events.refused', 'status 404'),
    ],
    ['409', reply(409, { errcode: 'M_UNKNOWN' }), { kind: 'gone' }],
    ['429 with seconds', limited({ 'retry-after': '2' }), tooMany(2_000)],
    [
      '429 with a date',
      limited({ 'retry-after': 'Tue, 01 Jan 2030 12:00:05 GMT' }),
      tooMany(5_000),
    ],
    ['429 with milliseconds', limited({}, { retry_after_ms: 1_500 }), tooMany(1_500)],
    ['429 with both', limited({ 'retry-after': '2' }, { retry_after_ms: 1_500 }), tooMany(2_000)],
    ['429 with neither', limited({}), tooMany()],
    [
      '401',
      reply(401, { errcode: 'M_MISSING_TOKEN' }),
      answered('delayed-events.refused', 'status 401, M_MISSING_TOKEN'),
    ],
    [
      '500',
      reply(500, { errcode: 'M_UNKNOWN' }),
      answered('client-api.unavailable', 'status 500, M_UNKNOWN'),
    ],
    ['502 of a proxy', reply(502, '<html>'), answered('client-api.unavailable', 'status 502')],
    [
      'a redirect',
      { kind: 'redirect', location: '/elsewhere', status: 307 },
      answered('delayed-events.refused', 'status 307'),
    ],
    ['an answer that is too large', { kind: 'oversized', bytes: 70_000 }, TOO_LARGE],
    ['an endless answer', { kind: 'endless' }, TOO_LARGE],
  ] as const)('is answered with %s', async (_what, answer, expected) => {
    homeserver.respond(ENDPOINTS, answer)
    expect(await createClient()('syd_hunter2', action)).toEqual(expectedOf(expected))
    expect(homeserver.requests.some(({ path }) => path === '/elsewhere')).toBe(false)
  })

  test.each([
    ['no answer', { kind: 'close' }],
    ['half an answer', { kind: 'truncated' }],
  ] as const)('fails when the connection is closed after %s', async (_what, answer) => {
    homeserver.respond(ENDPOINTS, answer)
    expect(await createClient()('syd_hunter2', action)).toEqual(
      unanswered(
        'client-api.closed',
        `hs.test at 127.0.0.1 port ${homeserver.port}: connection closed by the server`,
      ),
    )
  })

  test.each([
    ['nothing at all', { kind: 'hang' }],
    ['headers that never end', { kind: 'slow-headers', everyMs: 20 }],
    ['a body that never ends', { kind: 'slow-body', everyMs: 20, body: 'x'.repeat(1_000) }],
  ] as const)('fails within its time limit when %s arrives', async (_what, answer) => {
    homeserver.respond(ENDPOINTS, answer)
    const before = performance.now()
    expect(await createClient(200)('syd_hunter2', action)).toEqual(
      unanswered('client-api.timeout', 'timeout after 0.2 s'),
    )
    expect(performance.now() - before).toBeWithin(190, 1_000)
  })

  test('is a POST of an empty object without authorization', async () => {
    homeserver.restore()
    homeserver.scheduleDelayedEvent('syd_plain')
    expect(await createClient()('syd_plain', action)).toEqual({ kind: 'done' })
    const request = homeserver.requests.at(-1)
    expect(request).toMatchObject({
      method: 'POST',
      path: `/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_plain/${action}`,
      host: `hs.test:${homeserver.port}`,
      sni: 'hs.test',
    })
    expect(new TextDecoder().decode(request?.body)).toBe('{}')
    expect(request?.headers.get('content-type')).toBe('application/json')
    expect(request?.headers.get('authorization')).toBeNull()
  })

  test.each([
    ['a/b?c#d%', 'a%2Fb%3Fc%23d%25'],
    ['../../../v3/logout', '..%2F..%2F..%2Fv3%2Flogout'],
    ['ü &=+', '%C3%BC%20%26%3D%2B'],
  ])('encodes the delay ID %p as %s', async (delayId, encoded) => {
    homeserver.restore()
    homeserver.scheduleDelayedEvent(delayId)
    expect(await createClient()(delayId, action)).toEqual({ kind: 'done' })
    expect(homeserver.requests.at(-1)?.path).toBe(
      `/_matrix/client/unstable/org.matrix.msc4140/delayed_events/${encoded}/${action}`,
    )
  })

  test.each(['.', '..', '\ud800'])(
    'refuses the delay ID %p, which cannot be in a URL',
    async (delayId) => {
      homeserver.restore()
      expect(await createClient()(delayId, action)).toMatchObject({ kind: 'failed' })
    },
  )

  test('fails at once when its signal fires', async () => {
    homeserver.respond(ENDPOINTS, { kind: 'hang' })
    const abort = new AbortController()
    const before = homeserver.requests.length
    const acting = createClient()('syd_hunter2', action, abort.signal)
    await until(() => homeserver.requests.length >= before + 2)
    abort.abort()
    const since = performance.now()
    expect(await acting).toEqual(GIVEN_UP)
    expect(performance.now() - since).toBeLessThan(500)
  })

  test('sends nothing when its signal has fired already', async () => {
    const before = homeserver.requests.length
    expect(await createClient()('syd_hunter2', action, AbortSignal.abort())).toEqual(GIVEN_UP)
    expect(homeserver.requests.length).toBe(before)
  })

  test('fails when nothing listens', async () => {
    const { clientApi } = accessHomeservers(stage)
    const port = await findClosedPort()
    const event = {
      serverName: 'origin.test',
      baseUrl: `https://hs.test:${port}`,
      delayId: 'syd_x',
    }
    expect(await clientApi.actOnDelayedEvent(event, action, never())).toEqual(
      unanswered('client-api.refused', `hs.test at 127.0.0.1 port ${port}: connection refused`),
    )
  })
})
