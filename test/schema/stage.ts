import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { installSchemathesis } from '../e2e/installation/schemathesis.ts'
import { CREDENTIAL_SETTINGS, CREDENTIALS } from '../support/credentials.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import type { MemberApi } from '../support/member-api.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'

/** The homeserver whose users are served. */
export const SERVER_NAME = 'example.com'
/** Enough users that none of them reaches the bounds on the delegations and tokens of one. */
export const USER_COUNT = 100
/** How long installing Schemathesis may take, in milliseconds. */
export const START_LIMIT_MS = 600_000

/** The compiled service between a homeserver and an SFU, for Schemathesis. */
export interface SchemaStage {
  readonly homeserver: Homeserver
  readonly sfu: Sfu
  readonly service: ServiceProcess
  /** For what Schemathesis writes. */
  readonly directory: string
  close(): Promise<void>
}

const BINARY = resolve(import.meta.dir, '../../dist/jwt-service')

/** Sets the stage; `settings` come on top of those that name the SFU and the client API. */
export async function setSchemaStage(
  settings: (homeserver: Homeserver) => Readonly<Record<string, string>>,
  memberApi?: MemberApi,
): Promise<SchemaStage> {
  await installSchemathesis()
  const directory = await mkdtemp(join(tmpdir(), 'schemathesis-'))
  const homeserver = await startHomeserver({
    serverName: SERVER_NAME,
    ...(memberApi !== undefined && { memberApi }),
  })
  const sfu = await startSfu(CREDENTIALS)
  const service = await startService({
    command: [BINARY],
    logFile: join(directory, 'service.log'),
    env: {
      LIVEKIT_URL: sfu.wsUrl,
      ...CREDENTIAL_SETTINGS,
      LIVEKIT_FULL_ACCESS_HOMESERVERS: SERVER_NAME,
      LIVEKIT_CS_API_URL_OVERRIDES: `${SERVER_NAME}=${homeserver.url}`,
      ...settings(homeserver),
    },
  })

  async function close(): Promise<void> {
    await service.stop()
    await Promise.all([sfu.close(), homeserver.close()])
    await rm(directory, { recursive: true })
  }
  return { homeserver, sfu, service, directory, close }
}
