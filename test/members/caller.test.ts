import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { sendRaw } from '../process/raw.ts'
import {
  ALICE,
  answerOf,
  BOB,
  BODY_ENDPOINTS,
  type CallStage,
  CLIENT_LEAVE,
  CLIENT_TOKEN,
  ENDPOINTS,
  FEDERATED_TOKEN,
  headersOf,
  MATRIX_ROOM,
  post,
  startCallStage,
} from '../support/member-calls.ts'
import { AS_TOKEN, HS_TOKEN } from '../support/member-stage.ts'
import { until } from '../support/until.ts'

let stage: CallStage

beforeAll(async () => {
  stage = await startCallStage()
})
beforeEach(() => stage.reset())
afterAll(() => stage.close())

const MISSING = { status: 401, errcode: 'M_MISSING_TOKEN', error: 'The access token is missing.' }
const UNKNOWN = { status: 401, errcode: 'M_UNKNOWN_TOKEN', error: 'The access token is unknown.' }
const FOREIGN = {
  status: 403,
  errcode: 'M_FORBIDDEN',
  error: 'The user is not of the server that asks.',
}

function nothingWasAsked(): void {
  expect(stage.homeserver.requests).toEqual([])
  expect(stage.created()).toEqual([])
}

describe.each(ENDPOINTS)('$path', (endpoint) => {
  const { path, body } = endpoint
  const { Authorization: _, ...others } = headersOf(endpoint)

  test.each([
    ['no authorization', '', undefined],
    ['an empty one', '', ''],
    ['another scheme', '', `Basic ${HS_TOKEN}`],
    ['no scheme', '', HS_TOKEN],
    ['a scheme alone', '', 'Bearer'],
    ['a scheme that only begins like Bearer', '', `BearerX ${HS_TOKEN}`],
    ['two words after the scheme', '', `Bearer ${HS_TOKEN} more`],
    ['the token in the query alone', `?access_token=${HS_TOKEN}`, undefined],
  ])('takes %s for a missing token', async (_case, query, authorization) => {
    const headers = authorization === undefined ? others : { ...others, authorization }
    expect(await answerOf(post(stage.app, path + query, body, headers))).toEqual(MISSING)
    nothingWasAsked()
  })

  test.each([
    ['another', '', 'Bearer another'],
    ['the as_token', '', `Bearer ${AS_TOKEN}`],
    ['the beginning of the right one', '', `Bearer ${HS_TOKEN.slice(0, -1)}`],
    ['the right one and more', '', `Bearer ${HS_TOKEN}f`],
    ['another although the query has the right one', `?access_token=${HS_TOKEN}`, 'Bearer x'],
  ])('refuses a wrong token: %s', async (_case, query, authorization) => {
    const headers = { ...others, authorization }
    expect(await answerOf(post(stage.app, path + query, body, headers))).toEqual(UNKNOWN)
    nothingWasAsked()
  })

  test('looks at the token before the other header and before the body', async () => {
    const headers = { authorization: 'Bearer x' }
    expect(await answerOf(post(stage.app, path, '{', headers))).toEqual(UNKNOWN)
    expect(await answerOf(post(stage.app, path, 'x'.repeat(70_000), headers))).toEqual(UNKNOWN)
  })

  test('requires the token of a request without a body too', async () => {
    expect(await answerOf(fetch(stage.app.url + path, { method: 'POST' }))).toEqual(MISSING)
    const headers = { authorization: 'Bearer x' }
    expect(await answerOf(fetch(stage.app.url + path, { method: 'POST', headers }))).toEqual(
      UNKNOWN,
    )
    for (const head of ['', 'Content-Length: 0\r\n']) {
      const request = `POST ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${head}\r\n`
      const port = Number(new URL(stage.app.url).port)
      expect(await sendRaw(port, request)).toStartWith('HTTP/1.1 401 ')
    }
  })

  test.each([`Bearer ${HS_TOKEN}`, `bearer ${HS_TOKEN}`, `BEARER   ${HS_TOKEN}`])(
    'accepts the token in "%s"',
    async (authorization) => {
      stage.api.join(MATRIX_ROOM, ALICE, BOB)
      stage.api.scheduled.set('syd_1', { userId: ALICE, roomId: MATRIX_ROOM, delayMs: 60_000 })
      const headers = { ...others, authorization }
      expect((await post(stage.app, path, body, headers)).status).toBe(200)
    },
  )
})

describe.each(BODY_ENDPOINTS)('$path', (endpoint) => {
  const { header, path, body } = endpoint

  test.each([undefined, ''])('needs the header that says for whom: %p', async (value) => {
    const { [header]: _, ...rest } = headersOf(endpoint)
    const headers = value === undefined ? rest : { ...rest, [header]: value }
    for (const sent of [body, '{']) {
      expect(await answerOf(post(stage.app, path, sent, headers))).toEqual({
        status: 401,
        errcode: 'M_UNAUTHORIZED',
        error: `The header "${header.toLowerCase()}" is missing.`,
      })
    }
    nothingWasAsked()
  })
})

describe.each([CLIENT_TOKEN, CLIENT_LEAVE])('$path', (endpoint) => {
  test.each([
    'alice:example.com',
    '@alice',
    '@alice:',
    'example.com',
    '@alice:not a name',
    '@alice:example.com, @bob:example.com',
    '@alice:example.com:99999',
    `@${'a'.repeat(244)}:example.com`,
  ])('refuses the malformed user ID %p before the body', async (user) => {
    expect(await stage.call(endpoint, '{', { [endpoint.header]: user })).toEqual({
      status: 400,
      errcode: 'M_INVALID_PARAM',
      error: 'The header "x-matrix-user-identifier" is malformed.',
    })
    nothingWasAsked()
  })

  test.each([
    BOB,
    '@alice:EXAMPLE.com',
    '@alice:example.com.',
    '@alice:example.com:8448',
    '@alice:sub.example.com',
    '@example.com:other.example',
  ])('refuses the foreign user %s before the body', async (user) => {
    expect(await stage.call(endpoint, '{', { [endpoint.header]: user })).toEqual(FOREIGN)
    nothingWasAsked()
  })
})

test.each([
  'not a name',
  'other.example/x',
  'other.example:0',
  '@bob:other.example',
  '[::g]',
  '1.2',
])('refuses the malformed origin %p before the body', async (origin) => {
  expect(await stage.call(FEDERATED_TOKEN, '{', { [FEDERATED_TOKEN.header]: origin })).toEqual({
    status: 400,
    errcode: 'M_INVALID_PARAM',
    error: 'The header "x-matrix-origin" is malformed.',
  })
  nothingWasAsked()
})

test('takes the identity from the header alone, whatever the body claims', async () => {
  stage.api.join(MATRIX_ROOM, ALICE)
  const body = {
    ...CLIENT_TOKEN.body,
    user_id: '@eve:example.com',
    member: { id: 'm', user_id: '@eve:x' },
  }
  expect((await stage.call(CLIENT_TOKEN, body)).status).toBe(200)
  expect(stage.asked()).toEqual(['is_joined mxid=@alice:example.com'])
})

test('logs who asked and why it was refused, without any token', async () => {
  const headers = { authorization: 'Bearer wrong-token', 'x-request-id': 'wrong' }
  await post(stage.app, `${CLIENT_TOKEN.path}?access_token=${HS_TOKEN}`, '{', headers)
  const line = await until(() => stage.app.log.find(({ request_id }) => request_id === 'wrong'))
  expect(line).toMatchObject({ status: 401, outcome: 'M_UNKNOWN_TOKEN', step: 'hs-token' })
  const log = JSON.stringify(stage.app.log)
  for (const secret of [HS_TOKEN, AS_TOKEN, 'wrong-token']) expect(log).not.toContain(secret)
})
