import { join } from 'node:path'
import {
  DELAY_EXAMPLE,
  GET_TOKEN_EXAMPLE,
  MEMBER_EXAMPLE,
  OTHER_USER_EXAMPLE,
  SFU_URL_EXAMPLE,
} from '../../src/routes/examples.ts'
import { type Certificate, createAuthority } from '../support/certificates.ts'
import { CREDENTIAL_SETTINGS, CREDENTIALS } from '../support/credentials.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { createMemberApi } from '../support/member-api.ts'
import { AS_TOKEN, HS_TOKEN } from '../support/member-stage.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'

/**
 * The real service with a homeserver and an SFU of its own to talk to. They know what the examples of the
 * API page name: its users, tokens, rooms and delayed events.
 */
export interface Stage {
  readonly homeserver: Homeserver
  readonly sfu: Sfu
  readonly service: ServiceProcess
  /** Stops everything that was started. */
  close(): Promise<void>
}

const { openid_token: OPENID_TOKEN, member: MEMBER } = GET_TOKEN_EXAMPLE
const SERVER_NAME = OPENID_TOKEN.matrix_server_name

/** Starts a homeserver with TLS that takes the examples for real. */
async function startExampleHomeserver(certificate: Certificate): Promise<Homeserver> {
  const memberApi = createMemberApi(SERVER_NAME, AS_TOKEN)
  const { claimed_user_id: userId } = MEMBER
  const { delay_id: delayId, delay_timeout: delayMs } = DELAY_EXAMPLE
  const { room_id: roomId } = MEMBER_EXAMPLE
  memberApi.join(roomId, userId, OTHER_USER_EXAMPLE)
  memberApi.scheduled.set(delayId, { userId, roomId, delayMs })
  const homeserver = await startHomeserver({ certificate, serverName: SERVER_NAME, memberApi })
  homeserver.issueOpenIdToken(userId, OPENID_TOKEN.access_token)
  homeserver.scheduleDelayedEvent(delayId)
  return homeserver
}

/** Options of {@link setStage}. */
export interface StageOptions {
  /** Where the service listens; a free one unless given. */
  readonly port?: number | undefined
  /** Sees what the service logs. */
  readonly onOutput?: (text: string) => void
}

/**
 * Starts all parts, on loopback.
 *
 * @throws {Error} when the service does not become healthy.
 */
export async function setStage({ port, onOutput = () => {} }: StageOptions): Promise<Stage> {
  const parts = new AsyncDisposableStack()
  try {
    const authority = parts.use(await createAuthority())
    const certificate = await authority.issue({ dns: ['localhost'], ip: ['127.0.0.1'] })
    const homeserver = parts.use(await startExampleHomeserver(certificate))
    const sfu = parts.use(await startSfu(CREDENTIALS))
    const service = parts.use(
      await startService({
        command: [process.execPath, join(import.meta.dir, '../../src/main.ts'), 'serve'],
        port: port ?? (await findClosedPort()),
        onOutput,
        env: {
          LIVEKIT_URL: SFU_URL_EXAMPLE,
          LIVEKIT_INTERNAL_URL: sfu.wsUrl,
          ...CREDENTIAL_SETTINGS,
          LIVEKIT_FULL_ACCESS_HOMESERVERS: SERVER_NAME,
          LIVEKIT_FEDERATION_URL_OVERRIDES: `${SERVER_NAME}=${homeserver.url}`,
          LIVEKIT_CS_API_URL_OVERRIDES: `${SERVER_NAME}=${homeserver.url}`,
          LIVEKIT_HS_SERVER_NAME: SERVER_NAME,
          LIVEKIT_AS_TOKEN: AS_TOKEN,
          LIVEKIT_HS_TOKEN: HS_TOKEN,
          LIVEKIT_LOG_FORMAT: 'pretty',
          NODE_EXTRA_CA_CERTS: authority.caFile,
        },
      }),
    )
    return { homeserver, sfu, service, close: () => parts.disposeAsync() }
  } catch (error) {
    await parts.disposeAsync()
    throw error
  }
}
