import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { installSchemathesis } from '../e2e/installation/schemathesis.ts'
import { CREDENTIAL_SETTINGS, CREDENTIALS } from '../support/credentials.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'
import { answered, examples, runSchemathesis } from './schemathesis.ts'

const binary = resolve(import.meta.dir, '../../dist/jwt-service')
const serverName = 'example.com'
/** Enough that none of them reaches the bound on the delegations of one user. */
const userCount = 100

let homeserver: Homeserver
let sfu: Sfu
let service: ServiceProcess
let directory: string

beforeAll(async () => {
  await installSchemathesis()
  directory = await mkdtemp(join(tmpdir(), 'schemathesis-'))
  homeserver = await startHomeserver({ serverName })
  sfu = await startSfu(CREDENTIALS)
  service = await startService({
    command: [binary],
    logFile: join(directory, 'service.log'),
    env: {
      LIVEKIT_URL: sfu.wsUrl,
      ...CREDENTIAL_SETTINGS,
      LIVEKIT_FULL_ACCESS_HOMESERVERS: serverName,
      LIVEKIT_FEDERATION_URL_OVERRIDES: `${serverName}=${homeserver.url}`,
      LIVEKIT_CS_API_URL_OVERRIDES: `${serverName}=${homeserver.url}`,
    },
  })
}, 600_000)

afterAll(async () => {
  await service?.stop()
  await Promise.all([sfu?.close(), homeserver?.close()])
  if (directory !== undefined) await rm(directory, { recursive: true })
})

function issueTokens(): { readonly id: string; readonly token: string }[] {
  return Array.from({ length: userCount }, (_, number) => {
    const id = `@user${number}:${serverName}`
    return { id, token: homeserver.issueOpenIdToken(id) }
  })
}

test('the service and its OpenAPI document agree', async () => {
  const stage = {
    STAGE_SERVER_NAME: serverName,
    STAGE_USERS: JSON.stringify(issueTokens()),
    STAGE_API_KEY: CREDENTIALS.apiKey,
    STAGE_API_SECRET: CREDENTIALS.apiSecret,
  }
  const { code, output } = await runSchemathesis({ service, directory, stage })
  if (code !== 0) process.stdout.write(output)
  expect(code).toBe(0)
  // Otherwise only refusals were compared.
  for (const path of ['/get_token', '/sfu/get', '/delegate_delayed_leave', '/sfu_webhook']) {
    expect(answered(service, path, 200)).toBeGreaterThan(examples / 4)
  }
})
