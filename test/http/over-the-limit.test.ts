import { describe, expect, test } from 'bun:test'
import { until } from '../support/until.ts'
import { from, headAfter, startLimitsStage, useUp } from './limits-stage.ts'

const OFFICE = from('1.2.3.4')

describe('a request over the limit', () => {
  test('is answered as the table of errors says', async () => {
    await using stage = await startLimitsStage({ LIVEKIT_RATE_LIMIT: '2/1' })
    await stage.fail(OFFICE)
    const response = await stage.fail(OFFICE)
    expect(response.status).toBe(429)
    expect(response.headers.toJSON()).toMatchObject({
      'content-type': 'application/json',
      'retry-after': '1',
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST',
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(await response.json()).toEqual({
      errcode: 'M_LIMIT_EXCEEDED',
      error: 'Too many requests.',
      // One token owed, and one to come.
      retry_after_ms: 1_000,
    })
    const request_id = response.headers.get('x-request-id')
    const line = await until(() => stage.app.log.find((fields) => fields.request_id === request_id))
    expect(line).toMatchObject({ route: '/get_token', status: 429, step: 'limit' })
  })

  test.each([
    [0, '1', 1_000],
    [250, '1', 750],
    [750, '1', 250],
  ])('after %d ms says to wait %s s', async (waitedMs, retryAfter, retryAfterMs) => {
    await using stage = await startLimitsStage({ LIVEKIT_RATE_LIMIT: '1/1' })
    await stage.app.post('/get_token', {}, OFFICE)
    stage.clock.now += waitedMs
    const response = await stage.app.post('/get_token', {}, OFFICE)
    expect(response.headers.get('retry-after')).toBe(retryAfter)
    expect(await response.json()).toMatchObject({ retry_after_ms: retryAfterMs })
    stage.clock.now += retryAfterMs
    expect((await stage.app.post('/get_token', {}, OFFICE)).status).toBe(400)
  })

  test.each(['/get_token', '/sfu/get', '/delegate_delayed_leave'])(
    'to %s causes no question, and its body is not read',
    async (path) => {
      await using stage = await startLimitsStage()
      await useUp(stage, OFFICE)
      const before = stage.asked()
      expect((await stage.ask('@alice:example.com', OFFICE)).status).toBe(429)
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n`
      const { port } = new URL(stage.app.url)
      for (const length of ['Content-Length: 60000', 'Transfer-Encoding: chunked']) {
        const answer = await headAfter(Number(port), `${head}${length}\r\n\r\n`)
        expect(answer).toStartWith('HTTP/1.1 429 ')
      }
      expect(stage.asked()).toBe(before)
    },
  )

  test.each([
    ['without a body', 'POST /get_token HTTP/1.1\r\nHost: x\r\n'],
    ['without Host', 'POST /get_token HTTP/1.0\r\nContent-Length: 2\r\n'],
    ['to a path with a query', 'POST /get_token?x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n'],
    ['to a path with a slash', 'POST /get_token/ HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n'],
  ])('is refused also %s', async (_, head) => {
    await using stage = await startLimitsStage()
    await useUp(stage, OFFICE)
    const { port } = new URL(stage.app.url)
    const answer = await headAfter(Number(port), `${head}X-Forwarded-For: 1.2.3.4\r\n\r\n{}`)
    expect(answer).toStartWith('HTTP/1.1 429 ')
  })
})
