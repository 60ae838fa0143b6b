import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { startTestApp, type TestApp } from '../support/app.ts'

const DEPTH = 30_000
const DEEP = '['.repeat(DEPTH) + ']'.repeat(DEPTH)
let app: TestApp

beforeAll(async () => {
  app = await startTestApp()
})
afterAll(() => app.close())

async function send(path: string, body: string) {
  const start = performance.now()
  const { status } = await fetch(app.url + path, { method: 'POST', body })
  return { status, quick: performance.now() - start < 500 }
}

describe.each(['/get_token', '/sfu/get', '/delegate_delayed_leave'])('%s', (path) => {
  test.each([
    ['as a whole', DEEP],
    ['in a field that is required', `{"room_id":${DEEP}}`],
    ['in a field that nobody knows', `{"unknown":${DEEP}}`],
    ['beside an escaped character', `{"a":"\\ud83d\\ude00","b":${DEEP.slice(20, -20)}}`],
  ])('a deeply nested body does not block other requests: %s', async (_, body) => {
    expect(body.length).toBeLessThan(65_536)
    expect(await send(path, body)).toEqual({ status: 400, quick: true })
    expect(process.memoryUsage.rss()).toBeLessThan(1024 ** 3)
  })
})

test.each([
  ['a pair', '"\\ud83d\\ude00"', true],
  ['a pair in capitals', '"\\uD83D\\uDE00"', true],
  ['a backslash and the letters', '"\\\\ud83d"', true],
  ['the first half', '"\\ud83d"', false],
  ['the second half', '"\\ude00"', false],
  ['two first halves and a second', '"\\ud83d\\ud83d\\ude00"', false],
  ['a pair and a second half', '"\\ud83d\\ude00\\ude00"', false],
  ['the first half behind a backslash', '"\\\\\\ud83d"', false],
  ['halves with an escape between them', '"\\ud83d\\n\\ude00"', false],
  ['halves with text between them', '"\\ud83d-\\ude00"', false],
  ['a half inside a list', '[["\\ud83d"]]', false],
  ['a half in the name of a member', '{"\\ud83d\\n\\ude00":1}', false],
])('accepts surrogate pairs, but not lone surrogates: %s', async (_, text, isText) => {
  const response = await fetch(`${app.url}/get_token`, { method: 'POST', body: `{"a":${text}}` })
  const { errcode } = (await response.json()) as { readonly errcode: string }
  expect(errcode).toBe(isText ? 'M_BAD_JSON' : 'M_NOT_JSON')
})
