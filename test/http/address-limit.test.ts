import { describe, expect, test } from 'bun:test'
import { reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'
import { from, startLimitsStage, statusesOf, times, tokenBody, useUp } from './limits-stage.ts'

const OFFICE = from('1.2.3.4')
const ELSEWHERE = from('1.2.3.5')

test('500 people behind one address start a call in the same second', async () => {
  await using stage = await startLimitsStage()
  const { homeserver, app } = stage
  async function startCall(index: number): Promise<number[]> {
    const user = `@user${index}:example.com`
    const token = homeserver.issueOpenIdToken(user)
    const delayId = `delay${index}`
    homeserver.scheduleDelayedEvent(delayId)
    const leave = { delay_id: delayId, delay_timeout: 3_600_000 }
    const calls = [
      await app.post('/get_token', tokenBody(token, user), OFFICE),
      await app.post('/delegate_delayed_leave', tokenBody(token, user, leave), OFFICE),
    ]
    return calls.map(({ status }) => status)
  }
  const statuses = await times(500, startCall)
  expect(statuses.flat().filter((status) => status !== 200)).toEqual([])
}, 60_000)

describe('an address that does nothing but fail', () => {
  test('is refused after 500 failures in a row, and others are not', async () => {
    await using stage = await startLimitsStage()
    for (let n = 0; n < 500; n += 1) expect((await stage.fail(OFFICE)).status).toBe(401)
    expect((await stage.fail(OFFICE)).status).toBe(429)
    expect((await stage.ask('@alice:example.com', OFFICE)).status).toBe(429)
    expect((await stage.ask('@alice:example.com', ELSEWHERE)).status).toBe(200)
  })

  test('fails at most 25 times a second from then on', async () => {
    await using stage = await startLimitsStage()
    expect(statusesOf(await times(500, () => stage.fail(OFFICE)))).toEqual({ 401: 500 })
    const responses: Response[] = []
    for (let tick = 0; tick < 1_000; tick += 1) {
      stage.clock.now += 10
      responses.push(await stage.fail(OFFICE))
    }
    expect(statusesOf(responses)).toEqual({ 401: 250, 429: 750 })
  })

  test('gains nothing by many attempts at once', async () => {
    await using stage = await startLimitsStage({ LIVEKIT_RATE_LIMIT: '50/100' })
    const { homeserver, clock } = stage
    const answers = Promise.withResolvers<void>()
    homeserver.respond('/_matrix/federation/v1/openid/userinfo', async () => {
      await answers.promise
      return reply(401)
    })
    const all = times(100, () => stage.fail(OFFICE))
    // All are let in before the first one fails.
    await Bun.sleep(500)
    answers.resolve()
    expect(statusesOf(await all)).toEqual({ 401: 100 })
    clock.now += 2_000
    expect((await stage.fail(OFFICE)).status).toBe(429)
    clock.now += 20
    expect((await stage.fail(OFFICE)).status).toBe(401)
  })

  test('gains nothing by hanging up before the answer', async () => {
    await using stage = await startLimitsStage({ LIVEKIT_RATE_LIMIT: '1/10' })
    stage.homeserver.respond('/_matrix/federation/v1/openid/userinfo', { kind: 'hang' })
    const body = JSON.stringify(tokenBody('unknown', '@alice:example.com'))
    for (let n = 1; n <= 5; n += 1) {
      const leaving = new AbortController()
      const { signal } = leaving
      const init = { method: 'POST', body, headers: OFFICE, signal }
      const request = fetch(`${stage.app.url}/get_token`, init).catch(() => undefined)
      await until(() => stage.homeserver.requests.length === n)
      leaving.abort()
      await request
      // It has been charged by then.
      await until(() => stage.app.log.filter(({ message }) => message === 'request').length === n)
    }
    expect((await stage.fail(OFFICE)).status).toBe(429)
  })

  test('counts as one with the rest of its /64', async () => {
    await using stage = await startLimitsStage()
    const failOf = (n: number) => stage.fail(from(`2606:4700:0:7::${n.toString(16)}`))
    expect(statusesOf(await times(500, failOf))).toEqual({ 401: 500 })
    expect((await stage.fail(from('[2606:4700:0:7:ffff::1]:443'))).status).toBe(429)
    expect((await stage.fail(from('2606:4700:0:8::1'))).status).toBe(401)
  })
})

test('what costs nothing is not limited: webhooks, health, documents, preflights, unknown paths', async () => {
  await using stage = await startLimitsStage()
  await useUp(stage, OFFICE)
  const { app, sfu } = stage
  const url = `${app.url}/sfu_webhook`
  const webhook = () => sfu.sendWebhook(url, { event: 'room_started', room: { name: 'room' } })
  expect(statusesOf(await times(1_200, webhook))).toEqual({ 200: 1_200 })
  const get = (path: string, method = 'GET') => {
    return fetch(app.url + path, { method, headers: OFFICE })
  }
  expect(statusesOf(await times(1_200, () => get('/healthz')))).toEqual({ 200: 1_200 })
  expect((await get('/swagger')).status).toBe(200)
  expect((await get('/swagger/json')).status).toBe(200)
  expect((await get('/get_token', 'OPTIONS')).status).toBe(200)
  expect((await get('/get_token')).status).toBe(405)
  expect((await get('/nothing')).status).toBe(404)
  expect((await stage.fail(OFFICE)).status).toBe(429)
})

test('another rate is kept for addresses', async () => {
  await using stage = await startLimitsStage({ LIVEKIT_RATE_LIMIT: '10/50' })
  const invalid = () => stage.app.post('/get_token', {}, OFFICE)
  expect(statusesOf(await times(60, invalid))).toEqual({ 400: 50, 429: 10 })
  stage.clock.now += 1_000
  expect(statusesOf(await times(20, invalid))).toEqual({ 400: 10, 429: 10 })
})

test('"off" turns the limits of addresses and of users off', async () => {
  await using stage = await startLimitsStage({ LIVEKIT_RATE_LIMIT: 'off' })
  expect(statusesOf(await times(1_200, () => stage.fail(OFFICE)))).toEqual({ 401: 1_200 })
  const ask = () => stage.ask('@alice:example.com', OFFICE)
  expect(statusesOf(await times(30, ask))).toEqual({ 200: 30 })
})
