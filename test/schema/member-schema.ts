import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { installSchemathesis } from '../e2e/installation/schemathesis.ts'
import { CREDENTIAL_SETTINGS, CREDENTIALS } from '../support/credentials.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { createMemberApi, type MemberApi } from '../support/member-api.ts'
import { AS_TOKEN, HS_TOKEN } from '../support/member-stage.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'
import { answered, examples, runSchemathesis } from './schemathesis.ts'

const binary = resolve(import.meta.dir, '../../dist/jwt-service')
const serverName = 'example.com'
const otherServerName = 'other.example'
const roomId = '!room:example.com'
/** Enough that none of them reaches the bounds on the delegations and tokens of one user. */
const userCount = 100
const rtc = 'v1/rtc/livekit'

let api: MemberApi
let homeserver: Homeserver
let sfu: Sfu
let service: ServiceProcess
let directory: string

beforeAll(async () => {
  await installSchemathesis()
  directory = await mkdtemp(join(tmpdir(), 'schemathesis-'))
  api = createMemberApi(serverName, AS_TOKEN)
  api.relayed = () => ({ status: 200, content: { jwt: 'a.b.c' } })
  homeserver = await startHomeserver({ serverName, memberApi: api })
  sfu = await startSfu(CREDENTIALS)
  service = await startService({
    command: [binary],
    logFile: join(directory, 'service.log'),
    env: {
      LIVEKIT_URL: sfu.wsUrl,
      ...CREDENTIAL_SETTINGS,
      LIVEKIT_FULL_ACCESS_HOMESERVERS: serverName,
      LIVEKIT_CS_API_URL_OVERRIDES: `${serverName}=${homeserver.url}`,
      LIVEKIT_AS_TOKEN: AS_TOKEN,
      LIVEKIT_HS_TOKEN: HS_TOKEN,
      LIVEKIT_HS_SERVER_NAME: serverName,
    },
  })
}, 600_000)

afterAll(async () => {
  await service?.stop()
  await Promise.all([sfu?.close(), homeserver?.close()])
  if (directory !== undefined) await rm(directory, { recursive: true })
})

/** Users of both homeservers who are joined to the room; ours have a delayed event each. */
function joinMembers() {
  return Array.from({ length: userCount }, (_, number) => {
    const id = `@user${number}:${serverName}`
    const foreign_id = `@user${number}:${otherServerName}`
    const delay_id = `syd_${number}`
    api.join(roomId, id, foreign_id)
    api.scheduled.set(delay_id, { userId: id, roomId, delayMs: 60_000 })
    return { id, foreign_id, delay_id }
  })
}

test('the service and its OpenAPI document agree on what the homeserver calls', async () => {
  const stage = {
    STAGE_SERVER_NAME: serverName,
    STAGE_OTHER_SERVER_NAME: otherServerName,
    STAGE_USERS: JSON.stringify(joinMembers()),
    STAGE_ROOM: roomId,
    STAGE_SFU_URL: sfu.wsUrl,
    STAGE_HS_TOKEN: HS_TOKEN,
  }
  const paths = '^/_matrix/'
  const { code, output } = await runSchemathesis({ service, directory, stage, paths })
  if (code !== 0) process.stdout.write(output)
  expect(code).toBe(0)
  // Otherwise only refusals were compared.
  for (const path of [
    `/_matrix/client/${rtc}/get_token`,
    `/_matrix/client/${rtc}/delegate_delayed_leave`,
    `/_matrix/federation/${rtc}/get_token`,
  ]) {
    expect(answered(service, path, 200)).toBeGreaterThan(examples / 4)
  }
  expect(answered(service, '/_matrix/app/v1/ping', 200)).toBeGreaterThan(0)
})
