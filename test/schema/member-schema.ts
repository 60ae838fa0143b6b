import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createMemberApi } from '../support/member-api.ts'
import { AS_TOKEN, HS_TOKEN } from '../support/member-stage.ts'
import { answered, examples, runSchemathesis } from './schemathesis.ts'
import {
  type SchemaStage,
  SERVER_NAME,
  START_LIMIT_MS,
  setSchemaStage,
  USER_COUNT,
} from './stage.ts'

const OTHER_SERVER_NAME = 'other.example'
const ROOM_ID = '!room:example.com'
const RTC = 'v1/rtc/livekit'

const api = createMemberApi(SERVER_NAME, AS_TOKEN)
api.relayed = () => ({ status: 200, content: { jwt: 'a.b.c' } })
let stage: SchemaStage

beforeAll(async () => {
  const settings = () => ({
    LIVEKIT_AS_TOKEN: AS_TOKEN,
    LIVEKIT_HS_TOKEN: HS_TOKEN,
    LIVEKIT_HS_SERVER_NAME: SERVER_NAME,
  })
  stage = await setSchemaStage(settings, api)
}, START_LIMIT_MS)

afterAll(() => stage?.close())

/** Users of both homeservers who are joined to the room; ours have a delayed event each. */
function joinMembers() {
  return Array.from({ length: USER_COUNT }, (_, number) => {
    const id = `@user${number}:${SERVER_NAME}`
    const foreign_id = `@user${number}:${OTHER_SERVER_NAME}`
    const delay_id = `syd_${number}`
    api.join(ROOM_ID, id, foreign_id)
    api.scheduled.set(delay_id, { userId: id, roomId: ROOM_ID, delayMs: 60_000 })
    return { id, foreign_id, delay_id }
  })
}

test('the service and its OpenAPI document agree on what the homeserver calls', async () => {
  const { service, directory, sfu } = stage
  const variables = {
    STAGE_SERVER_NAME: SERVER_NAME,
    STAGE_OTHER_SERVER_NAME: OTHER_SERVER_NAME,
    STAGE_USERS: JSON.stringify(joinMembers()),
    STAGE_ROOM: ROOM_ID,
    STAGE_SFU_URL: sfu.wsUrl,
    STAGE_HS_TOKEN: HS_TOKEN,
  }
  const paths = '^/_matrix/'
  const { code, output } = await runSchemathesis({ service, directory, stage: variables, paths })
  if (code !== 0) process.stdout.write(output)
  expect(code).toBe(0)
  // Otherwise only refusals were compared.
  for (const path of [
    `/_matrix/client/${RTC}/get_token`,
    `/_matrix/client/${RTC}/delegate_delayed_leave`,
    `/_matrix/federation/${RTC}/get_token`,
  ]) {
    expect(answered(service, path, 200)).toBeGreaterThan(examples / 4)
  }
  expect(answered(service, '/_matrix/app/v1/ping', 200)).toBeGreaterThan(0)
})
