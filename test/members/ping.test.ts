import { afterAll, beforeAll, expect, test } from 'bun:test'
import {
  answerOf,
  type CallStage,
  ENDPOINTS,
  headersOf,
  startCallStage,
} from '../support/member-calls.ts'

const PINGS = ENDPOINTS.filter(({ path }) => path.endsWith('/ping'))
const BODIES = ['{"transaction_id":"mautrix"}', '', '{"a', 'null', '\u0000']
const TYPES = ['application/json', 'text/plain', 'multipart/form-data; boundary=x', '']

let stage: CallStage

beforeAll(async () => {
  stage = await startCallStage()
})
afterAll(() => stage.close())

for (const ping of PINGS) {
  test.each(BODIES)(`${ping.path} is answered whatever its body is: %j`, async (body) => {
    for (const type of TYPES) {
      const headers = { ...headersOf(ping), 'Content-Type': type }
      const answer = fetch(stage.app.url + ping.path, { method: 'POST', headers, body })
      expect(await answerOf(answer)).toEqual({ status: 200 })
    }
  })
}
