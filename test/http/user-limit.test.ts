import { describe, expect, test } from 'bun:test'
import { MEMBER_PATHS, type MemberStage, startMemberStage } from '../support/member-stage.ts'
import { from, startLimitsStage, statusesOf, times } from './limits-stage.ts'

const ALICE = '@alice:example.com'
const BOB = '@bob:example.com'

describe('a verified user', () => {
  test('gets 20 tokens at once and 2 a second, wherever they ask from', async () => {
    await using stage = await startLimitsStage()
    const ask = (n: number) => stage.ask(ALICE, from(`1.2.3.${n}`))
    expect(statusesOf(await times(30, ask))).toEqual({ 200: 20, 429: 10 })
    expect((await stage.ask(BOB, from('1.2.3.1'))).status).toBe(200)
    const responses: Response[] = []
    for (let tick = 0; tick < 100; tick += 1) {
      stage.clock.now += 100
      responses.push(await ask(tick))
    }
    expect(statusesOf(responses)).toEqual({ 200: 20, 429: 80 })
  })

  test('is told how long to wait, and the SFU is not asked', async () => {
    await using stage = await startLimitsStage()
    await times(20, () => stage.ask(ALICE))
    const before = stage.sfu.httpRequests.length
    const response = await stage.ask(ALICE)
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await response.json()).toEqual({
      errcode: 'M_LIMIT_EXCEEDED',
      error: 'Too many requests.',
      retry_after_ms: 500,
    })
    expect(stage.sfu.httpRequests).toHaveLength(before)
  })

  test('is not charged for what others send in their name', async () => {
    await using stage = await startLimitsStage()
    await times(100, () => stage.fail(from('1.2.3.4')))
    expect((await stage.ask(ALICE, from('1.2.3.5'))).status).toBe(200)
  })
})

async function memberStage(rate = 'on') {
  const clock = { now: 5_000 }
  const env = { LIVEKIT_RATE_LIMIT: rate }
  const stage = await startMemberStage({ monotonicNow: () => clock.now, env })
  return { ...stage, clock }
}

const call = (stage: MemberStage, user: string, path: string = MEMBER_PATHS.token) => {
  return stage.callFor(user, path, {})
}

describe('in application-service mode', () => {
  test.each([[MEMBER_PATHS.token], [MEMBER_PATHS.leave]])(
    'a user may call %s 20 times at once, and others as well',
    async (path) => {
      await using stage = await memberStage()
      expect(statusesOf(await times(30, () => call(stage, ALICE, path)))).toEqual({
        400: 20,
        429: 10,
      })
      expect((await call(stage, BOB, path)).status).toBe(400)
      stage.clock.now += 1_000
      expect(statusesOf(await times(5, () => call(stage, ALICE, path)))).toEqual({ 400: 2, 429: 3 })
      expect(stage.homeserver.requests).toEqual([])
    },
  )

  test('both endpoints share the limit of a user', async () => {
    await using stage = await memberStage()
    await times(20, () => call(stage, ALICE, MEMBER_PATHS.leave))
    expect((await call(stage, ALICE, MEMBER_PATHS.token)).status).toBe(429)
  })

  test('another homeserver may call 1,000 times at once, and others as well', async () => {
    await using stage = await memberStage()
    const ask = (origin: string) => stage.callFrom(origin, MEMBER_PATHS.federatedToken, {})
    expect(statusesOf(await times(1_010, () => ask('one.test')))).toEqual({ 400: 1_000, 429: 10 })
    expect((await ask('other.test')).status).toBe(400)
    stage.clock.now += 1_000
    expect(statusesOf(await times(60, () => ask('one.test')))).toEqual({ 400: 50, 429: 10 })
  })

  test('a refusal says how long to wait', async () => {
    await using stage = await memberStage()
    await times(20, () => call(stage, ALICE))
    const response = await call(stage, ALICE)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(await response.json()).toEqual({
      errcode: 'M_LIMIT_EXCEEDED',
      error: 'Too many requests.',
      retry_after_ms: 500,
    })
  })

  test('nothing goes by the address that the homeserver calls from', async () => {
    await using stage = await memberStage('1/1')
    const ask = (n: number) => call(stage, `@user${n}:example.com`)
    expect(statusesOf(await times(1_500, ask))).toEqual({ 400: 1_500 })
    expect(stage.app.log.filter(({ level }) => level === 'warn')).toEqual([])
  })

  test('who does not know the token uses up nobody else’s limit', async () => {
    await using stage = await memberStage()
    const headers = { Authorization: 'Bearer wrong', 'X-Matrix-User-Identifier': ALICE }
    const forge = () => stage.app.post(MEMBER_PATHS.token, {}, headers)
    expect(statusesOf(await times(100, forge))).toEqual({ 401: 100 })
    expect((await call(stage, ALICE)).status).toBe(400)
  })

  test('"off" turns the limits of users and of other homeservers off', async () => {
    await using stage = await memberStage('off')
    expect(statusesOf(await times(100, () => call(stage, ALICE)))).toEqual({ 400: 100 })
    const ask = () => stage.callFrom('one.test', MEMBER_PATHS.federatedToken, {})
    expect(statusesOf(await times(1_100, ask))).toEqual({ 400: 1_100 })
  })
})
