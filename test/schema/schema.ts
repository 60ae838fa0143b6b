import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { installSchemathesis } from '../e2e/installation/schemathesis.ts'
import { schemathesisInstallation } from '../e2e/installation/versions.ts'
import { runToEnd } from '../support/child-process.ts'
import { CREDENTIAL_SETTINGS, CREDENTIALS } from '../support/credentials.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'

const binary = resolve(import.meta.dir, '../../dist/jwt-service')
const hooks = join(import.meta.dir, 'hooks.py')
const serverName = 'example.com'
/** Enough that none of them reaches the bound on the delegations of one user. */
const userCount = 100
const examples = 300
/** The same requests each time, so that a run that fails is due to a change. */
const seed = 1

let homeserver: Homeserver
let sfu: Sfu
let service: ServiceProcess
/** Where Schemathesis keeps what it remembers of a run. */
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

/** Runs Schemathesis to its end; its output tells every finding and how to repeat it. */
async function runSchemathesis(): Promise<{ readonly code: number; readonly output: string }> {
  const amount = ['--max-examples', String(examples), '--seed', String(seed)]
  const { code, stdout, stderr } = await runToEnd({
    command: [
      schemathesisInstallation.python,
      '-m',
      'schemathesis.cli',
      'run',
      '--checks',
      'all',
      ...amount,
      `${service.url}/swagger/json`,
    ],
    cwd: directory,
    env: {
      SCHEMATHESIS_HOOKS: hooks,
      STAGE_SERVER_NAME: serverName,
      STAGE_USERS: JSON.stringify(issueTokens()),
      STAGE_API_KEY: CREDENTIALS.apiKey,
      STAGE_API_SECRET: CREDENTIALS.apiSecret,
    },
  })
  return { code, output: `${stdout}${stderr}` }
}

/** How often a path was answered with a status. */
function answered(path: string, status: number): number {
  const lines = service.output().split('\n')
  return lines.filter((line) => line.includes(`"route":"${path}","status":${status},`)).length
}

test('the service and its OpenAPI document agree', async () => {
  const { code, output } = await runSchemathesis()
  if (code !== 0) process.stdout.write(output)
  expect(code).toBe(0)
  // Otherwise only refusals were compared.
  for (const path of ['/get_token', '/sfu/get', '/delegate_delayed_leave', '/sfu_webhook']) {
    expect(answered(path, 200)).toBeGreaterThan(examples / 4)
  }
})
