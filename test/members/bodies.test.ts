import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  ALICE,
  BOB,
  BODY_ENDPOINTS,
  type CallStage,
  CLIENT_TOKEN,
  claimsOf,
  FEDERATED_TOKEN,
  MATRIX_ROOM,
  startCallStage,
} from '../support/member-calls.ts'

let stage: CallStage

beforeAll(async () => {
  stage = await startCallStage()
})
beforeEach(() => {
  stage.reset()
  stage.api.join(MATRIX_ROOM, ALICE, BOB)
  stage.api.scheduled.set('syd_1', { userId: ALICE, roomId: MATRIX_ROOM, delayMs: 60_000 })
})
afterAll(() => stage.close())

const NOT_JSON = { status: 400, errcode: 'M_NOT_JSON', error: 'The body is not JSON.' }
const TOO_LARGE = { status: 413, errcode: 'M_TOO_LARGE', error: 'The body is larger than 64 KiB.' }
const NO_OBJECT = {
  status: 400,
  errcode: 'M_BAD_JSON',
  error: 'The body must be a JSON object.',
}
const LONG = 'x'.repeat(1_025)

function badField(field: string) {
  const error = `The field "${field}" is missing, empty or of the wrong type.`
  return { status: 400, errcode: 'M_BAD_JSON', error }
}

function invalid(field: string, problem: string) {
  return { status: 400, errcode: 'M_INVALID_PARAM', error: `The field "${field}" ${problem}.` }
}

function nothingWasAsked(): void {
  expect(stage.homeserver.requests).toEqual([])
  expect(stage.created()).toEqual([])
}

function without(body: object, field: string): object {
  return Object.fromEntries(Object.entries(body).filter(([name]) => name !== field))
}

describe.each(BODY_ENDPOINTS)('$path', (endpoint) => {
  const { body } = endpoint
  const isLeave = 'delay_id' in body

  test.each([
    ['an empty body', ''],
    ['half a body', '{"room_id":'],
    ['a body that is not UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['half of a surrogate pair', '{"room_id":"\\ud800"}'],
    ['deep nesting that is not closed', '['.repeat(60_000)],
  ])('answers %s with M_NOT_JSON', async (_, sent) => {
    expect(await stage.call(endpoint, sent)).toEqual(NOT_JSON)
    nothingWasAsked()
  })

  test.each(['[]', 'null', '7', '"text"', `${'['.repeat(30_000)}${']'.repeat(30_000)}`])(
    'wants an object, not %.20s',
    async (sent) => {
      const start = performance.now()
      expect(await stage.call(endpoint, sent)).toEqual(NO_OBJECT)
      expect(performance.now() - start).toBeLessThan(1_000)
    },
  )

  test.each(Object.keys(body))(
    'names %s when it is missing, empty, null, long or no text',
    async (field) => {
      expect(await stage.call(endpoint, without(body, field))).toEqual(badField(field))
      // A missing `member_id` may be in `member`.
      const values = field === 'member_id' ? ['', 7, {}, LONG] : ['', 7, null, [], {}, true, LONG]
      for (const value of values) {
        expect(await stage.call(endpoint, { ...body, [field]: value })).toEqual(badField(field))
      }
      nothingWasAsked()
    },
  )

  test.each(['.', '..'])('refuses an ID that would be a path step: %s', async (id) => {
    const fields = isLeave ? ['room_id', 'delay_id'] : ['room_id']
    for (const field of fields) {
      expect(await stage.call(endpoint, { ...body, [field]: id })).toEqual(badField(field))
    }
    nothingWasAsked()
  })

  test.each([
    [{ member_id: null }, 'member_id'],
    [{ member_id: null, member: null }, 'member_id'],
    [{ member_id: undefined, member: {} }, 'member.id'],
    [{ member_id: undefined, member: { id: '' } }, 'member.id'],
    [{ member_id: undefined, member: { id: null } }, 'member.id'],
    [{ member_id: undefined, member: 'memberABC' }, 'member'],
    [{ member_id: undefined, member: ['memberABC'] }, 'member'],
    [{ member_id: undefined, member: { id: LONG } }, 'member.id'],
  ])('names what is wrong with the member in %j', async (more, field) => {
    expect(await stage.call(endpoint, { ...body, ...more })).toEqual(badField(field))
    nothingWasAsked()
  })

  test.each([
    { member: null },
    { member_id: undefined, member: { id: 'memberABC' } },
    { member_id: null, member: { id: 'memberABC', claimed_user_id: '@eve:example.com' } },
    { member: { id: 'another' } },
  ])('accepts both forms of the member: %j', async (more) => {
    const answer = await stage.call(endpoint, { ...body, ...more })
    expect(answer.status).toBe(200)
    if (isLeave) return
    const identities: Record<string, string> = {
      'other.example': 'J0Ewn7DvH4OOLwqV56pBg2bEFhdazlY0Sm3me1nkkMY',
      [ALICE]: 'M3VnsLXrkbxIDINXO64u8PZzFyD9ZYFiQULR2dshWYs',
    }
    expect(claimsOf(answer).sub).toBe(identities[endpoint.caller ?? ''])
  })

  test('ignores unknown fields, those of the older form and the delay of the client', async () => {
    const more = {
      openid_token: 7,
      delay_timeout: 'soon',
      delay_cs_api_url: 'https://evil.test',
      device_id: [],
      'org.example.more': { deep: [1] },
    }
    expect((await stage.call(endpoint, { ...body, ...more })).status).toBe(200)
  })

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'reads the body as JSON when Content-Type is "%s"',
    async (type) => {
      expect((await stage.call(endpoint, body, { 'content-type': type })).status).toBe(200)
    },
  )

  test('accepts a body of 64 KiB and no larger one, with and without its length', async () => {
    const padding = 'x'.repeat(65_536 - JSON.stringify({ ...body, padding: '' }).length)
    const largest = JSON.stringify({ ...body, padding })
    expect((await stage.call(endpoint, largest)).status).toBe(200)
    stage.reset()
    for (const sent of [`${largest} `, new Blob([`${largest} `]).stream()]) {
      expect(await stage.call(endpoint, sent)).toEqual(TOO_LARGE)
    }
    nothingWasAsked()
  })
})

test.each([' ', 'not a name', 'other.example/path', 'other.example:0', '@bob:other.example', '..'])(
  'refuses the malformed server_name %p',
  async (server_name) => {
    expect(await stage.call(CLIENT_TOKEN, { ...CLIENT_TOKEN.body, server_name })).toEqual(
      invalid('server_name', 'is not a server name'),
    )
    nothingWasAsked()
  },
)

test.each([[''], [7], [{}], [['example.com']]])(
  'wants the server_name as text, not as %j',
  async (server_name) => {
    expect(await stage.call(CLIENT_TOKEN, { ...CLIENT_TOKEN.body, server_name })).toEqual(
      badField('server_name'),
    )
  },
)

test.each([{}, { server_name: null }, { server_name: 'example.com' }])(
  'takes %j for our own SFU',
  async (more) => {
    expect((await stage.call(CLIENT_TOKEN, { ...CLIENT_TOKEN.body, ...more })).status).toBe(200)
    expect(stage.asked()).toEqual(['is_joined mxid=@alice:example.com'])
  },
)

test.each(['bob:other.example', '@bob', '@bob:', '@bob:not a name', '@bob\u0000:other.example'])(
  'refuses the malformed user_id %j of another homeserver',
  async (user_id) => {
    expect(await stage.call(FEDERATED_TOKEN, { ...FEDERATED_TOKEN.body, user_id })).toEqual(
      invalid('user_id', 'is not a user ID'),
    )
    nothingWasAsked()
  },
)
