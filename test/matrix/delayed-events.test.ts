import { describe, expect, test } from 'bun:test'
import {
  advertisedPrefix,
  type DelayedEventAnswer,
  type DelayedEventCode,
  delayedEventPath,
  readDelayedEventAnswer,
} from '../../src/matrix/delayed-events.ts'

const NOW = Date.UTC(2030, 0, 1, 12)

function read(status: number, body: unknown, retryAfter?: string) {
  const headers = new Headers(retryAfter === undefined ? {} : { 'retry-after': retryAfter })
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return readDelayedEventAnswer({ status, headers, body: text }, NOW)
}

describe('the path', () => {
  test.each([
    ['stable', 'syd_abc', 'restart', '/_matrix/client/v1/delayed_events/syd_abc/restart'],
    ['stable', 'syd_abc', 'send', '/_matrix/client/v1/delayed_events/syd_abc/send'],
    [
      'unstable',
      'syd_abc',
      'send',
      '/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_abc/send',
    ],
    ['stable', 'a/b?c#d%', 'send', '/_matrix/client/v1/delayed_events/a%2Fb%3Fc%23d%25/send'],
    ['stable', 'ü ..\n', 'send', '/_matrix/client/v1/delayed_events/%C3%BC%20..%0A/send'],
  ] as const)('of %s %p %s', (prefix, delayId, action, path) => {
    expect(delayedEventPath(prefix, delayId, action)).toBe(path)
  })
})

describe('the answer', () => {
  function failed(code: DelayedEventCode, told: string, retryAfterMs?: number) {
    const trouble = { code, found: `${told}, for /delayed_events` } as const
    return { kind: 'failed', answered: true, trouble, retryAfterMs } as const
  }
  const refused = (told: string) => failed('delayed-events.refused', told)
  const away = (told: string) => failed('client-api.unavailable', told)
  const limited = (told: string, retryAfterMs?: number) =>
    failed('delayed-events.rate-limited', told, retryAfterMs)

  test.each<[number, unknown, DelayedEventAnswer]>([
    [200, {}, { kind: 'done' }],
    [200, 'no JSON', { kind: 'done' }],
    [204, '', { kind: 'done' }],
    [201, {}, refused('status 201')],
    [302, '', refused('status 302')],
    [400, { errcode: 'syd_hunter2' }, refused('status 400')],
    [400, { errcode: 'IO.EXAMPLE.MSC4140_X' }, refused('status 400, IO.EXAMPLE.MSC4140_X')],
    [400, { errcode: 'M_INVALID_PARAM' }, refused('status 400, M_INVALID_PARAM')],
    [401, { errcode: 'M_UNAUTHORIZED' }, refused('status 401, M_UNAUTHORIZED')],
    [403, { errcode: 'M_FORBIDDEN' }, refused('status 403, M_FORBIDDEN')],
    [404, { errcode: 'M_NOT_FOUND' }, { kind: 'gone' }],
    [404, { errcode: 'M_UNRECOGNIZED' }, { kind: 'unrecognized' }],
    [404, { errcode: 'M_UNKNOWN' }, refused('status 404, M_UNKNOWN')],
    [404, '<html>', refused('status 404')],
    [404, '', refused('status 404')],
    [405, { errcode: 'M_UNRECOGNIZED' }, refused('status 405, M_UNRECOGNIZED')],
    [409, { errcode: 'M_UNKNOWN' }, { kind: 'gone' }],
    [409, '', { kind: 'gone' }],
    [410, { errcode: 'M_NOT_FOUND' }, refused('status 410, M_NOT_FOUND')],
    [500, { errcode: 'M_NOT_FOUND' }, away('status 500, M_NOT_FOUND')],
    [502, '<html>', away('status 502')],
    [503, { retry_after_ms: 1000 }, away('status 503')],
  ])('%p %j means %j', (status, body, answer) => {
    expect(read(status, body)).toEqual(answer)
  })

  test.each([
    ['3', undefined, 3_000],
    ['0', undefined, 0],
    ['3', 7_000, 3_000],
    ['Tue, 01 Jan 2030 12:00:30 GMT', undefined, 30_000],
    ['Tue, 01 Jan 2030 12:00:30 GMT', 7_000, 30_000],
    ['Tue, 01 Jan 2030 11:00:00 GMT', 7_000, 0],
    ['soon', 7_000, 7_000],
    ['-5', 7_000, 7_000],
    ['1.5', 7_000, 7_000],
    ['+3', 7_000, 7_000],
    ['2001', undefined, 2_001_000],
    ['2001-01-01', 7_000, 7_000],
    ['1/1/2001', 7_000, 7_000],
    ['9999999999', 7_000, 7_000],
    ['999999999', undefined, 999_999_999_000],
    ['', 7_000, 7_000],
    [undefined, 7_000, 7_000],
    [undefined, 0, 0],
    [undefined, -1, undefined],
    [undefined, '7000', undefined],
    [undefined, undefined, undefined],
    ['soon', undefined, undefined],
  ])('429 with Retry-After %p and retry_after_ms %p waits %p ms', (header, inBody, waitMs) => {
    const body = { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: inBody }
    expect(read(429, body, header)).toEqual(limited('status 429, M_LIMIT_EXCEEDED', waitMs))
  })

  test('a 429 with an invalid body is an ordinary failure', () => {
    expect(read(429, '<html>')).toEqual(limited('status 429'))
  })
})

describe('the prefix that is advertised', () => {
  const stable = 'org.matrix.msc4140.stable'
  const unstable = 'org.matrix.msc4140'

  test.each<[unknown, string | undefined]>([
    [{ [stable]: true, [unstable]: true }, 'stable'],
    [{ [stable]: true }, 'stable'],
    [{ [stable]: false, [unstable]: true }, 'unstable'],
    [{ [unstable]: true }, 'unstable'],
    [{ [unstable]: false }, undefined],
    [{ [unstable]: 'true' }, undefined],
    [{}, undefined],
    [undefined, undefined],
    [[unstable], undefined],
  ])('by %j is %p', (features, prefix) => {
    const body = JSON.stringify({ versions: ['v1.11'], unstable_features: features })
    const found = advertisedPrefix({ status: 200, headers: new Headers(), body })
    expect<string | undefined>(found).toBe(prefix)
  })

  test('is none in an error or an invalid body', () => {
    const body = JSON.stringify({ unstable_features: { [unstable]: true } })
    const headers = new Headers()
    expect(advertisedPrefix({ status: 404, headers, body })).toBeUndefined()
    expect(advertisedPrefix({ status: 200, headers, body: '{' })).toBeUndefined()
  })
})
