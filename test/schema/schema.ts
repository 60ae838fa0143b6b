import { afterAll, beforeAll, expect, test } from 'bun:test'
import { CREDENTIALS } from '../support/credentials.ts'
import { answered, examples, runSchemathesis } from './schemathesis.ts'
import {
  type SchemaStage,
  SERVER_NAME,
  START_LIMIT_MS,
  setSchemaStage,
  USER_COUNT,
} from './stage.ts'

let stage: SchemaStage

beforeAll(async () => {
  stage = await setSchemaStage(({ url }) => ({
    LIVEKIT_FEDERATION_URL_OVERRIDES: `${SERVER_NAME}=${url}`,
  }))
}, START_LIMIT_MS)

afterAll(() => stage?.close())

function issueTokens(): { readonly id: string; readonly token: string }[] {
  return Array.from({ length: USER_COUNT }, (_, number) => {
    const id = `@user${number}:${SERVER_NAME}`
    return { id, token: stage.homeserver.issueOpenIdToken(id) }
  })
}

test('the service and its OpenAPI document agree', async () => {
  const { service, directory } = stage
  const variables = {
    STAGE_SERVER_NAME: SERVER_NAME,
    STAGE_USERS: JSON.stringify(issueTokens()),
    STAGE_API_KEY: CREDENTIALS.apiKey,
    STAGE_API_SECRET: CREDENTIALS.apiSecret,
  }
  const { code, output } = await runSchemathesis({ service, directory, stage: variables })
  if (code !== 0) process.stdout.write(output)
  expect(code).toBe(0)
  // Otherwise only refusals were compared.
  for (const path of ['/get_token', '/sfu/get', '/delegate_delayed_leave', '/sfu_webhook']) {
    expect(answered(service, path, 200)).toBeGreaterThan(examples / 4)
  }
})
