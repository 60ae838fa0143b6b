import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import type { TestApp } from '../support/app.ts'
import {
  ALICE,
  answerOf,
  BOB,
  type CallStage,
  CLIENT_TOKEN,
  FEDERATED_TOKEN,
  headersOf,
  MATRIX_ROOM,
  post,
  startCallStage,
} from '../support/member-calls.ts'
import { twirpError } from '../support/sfu.ts'

const TTL_AND_SKEW_MS = 3_600_000 + 60_000
/** How far the clock was put forward. */
let aheadMs = 0

const monotonicNow = () => performance.now() + aheadMs
const stage: CallStage = await startCallStage({ monotonicNow, now: () => Date.now() + aheadMs })
afterAll(() => stage.close())

let app: TestApp

beforeEach(async () => {
  aheadMs = 0
  stage.reset()
  for (const room of [MATRIX_ROOM, '!other']) stage.api.join(room, ALICE, BOB, '@eve:example.com')
  app = await stage.startReplica()
})

function call(more: object, user = ALICE): Promise<Response> {
  const headers = { ...headersOf(CLIENT_TOKEN), [CLIENT_TOKEN.header]: user }
  return post(app, CLIENT_TOKEN.path, { ...CLIENT_TOKEN.body, ...more }, headers)
}

async function statusOf(more: object, user?: string): Promise<number> {
  return (await call(more, user)).status
}

async function fill(): Promise<void> {
  const asking = Array.from({ length: 100 }, (_, n) => statusOf({ member_id: `member${n}` }))
  expect(new Set(await Promise.all(asking))).toEqual(new Set([200]))
}

test('a token that was not handed out, since the room could not be created, does not count', async () => {
  stage.sfu.respond('CreateRoom', twirpError(503, 'unavailable', 'try later'))
  const asking = Array.from({ length: 150 }, (_, n) => statusOf({ member_id: `member${n}` }))
  expect(new Set(await Promise.all(asking))).toEqual(new Set([429, 500]))
  stage.sfu.restore()
  await fill()
})

describe('a user with 100 tokens that have not expired', () => {
  test('is refused another, and causes no room', async () => {
    await fill()
    const created = stage.created().length
    const response = await call({ member_id: 'another', slot_id: 'a new slot' })
    expect(response.headers.get('retry-after')).toBe('60')
    expect(await answerOf(response)).toEqual({
      status: 429,
      errcode: 'M_LIMIT_EXCEEDED',
      error: 'Too many tokens.',
      retry_after_ms: 60_000,
    })
    expect(await statusOf({ member_id: 'another', room_id: '!other' })).toBe(429)
    expect(stage.created()).toHaveLength(created)
  })

  test('gets a token in place of each of the former ones', async () => {
    await fill()
    await fill()
    expect(await statusOf({ member_id: 'another' })).toBe(429)
  })

  test('does not keep others from theirs', async () => {
    await fill()
    expect(await statusOf({}, '@eve:example.com')).toBe(200)
    const headers = headersOf(FEDERATED_TOKEN)
    expect((await post(app, FEDERATED_TOKEN.path, FEDERATED_TOKEN.body, headers)).status).toBe(200)
  })

  test('gets another when they have expired', async () => {
    await fill()
    aheadMs = TTL_AND_SKEW_MS - 60_000
    expect(await statusOf({ member_id: 'another' })).toBe(429)
    aheadMs = TTL_AND_SKEW_MS + 1
    await fill()
    expect(await statusOf({ member_id: 'another' })).toBe(429)
  })

  test('is refused before the SFU is asked, but after the membership', async () => {
    await fill()
    stage.api.leave('!other', ALICE)
    expect(await statusOf({ member_id: 'another', room_id: '!other' })).toBe(403)
  })
})

test('counts the tokens of users of other homeservers too', async () => {
  const headers = headersOf(FEDERATED_TOKEN)
  const ask = (member_id: string) => {
    return post(app, FEDERATED_TOKEN.path, { ...FEDERATED_TOKEN.body, member_id }, headers)
  }
  const asking = Array.from({ length: 101 }, async (_, n) => (await ask(`member${n}`)).status)
  const statuses = await Promise.all(asking)
  expect(statuses.filter((status) => status === 200)).toHaveLength(100)
  expect(statuses.filter((status) => status === 429)).toHaveLength(1)
})
