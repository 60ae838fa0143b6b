import { startTestApp, type TestApp, type TestAppOptions } from './app.ts'
import { CREDENTIALS } from './credentials.ts'
import { type Homeserver, startHomeserver } from './homeserver.ts'
import { createMemberApi, type MemberApi } from './member-api.ts'
import { type Sfu, startSfu } from './sfu.ts'

/** The tokens that the homeserver and the service know each other by. */
export const AS_TOKEN = 'as-token-of-the-tests-0123456789abcdef'
export const HS_TOKEN = 'hs-token-of-the-tests-0123456789abcdef'

/** Paths of the endpoints, as Synapse calls them today. */
export const MEMBER_PATHS = {
  token: '/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token',
  leave: '/_matrix/client/unstable/io.element.msc4195/rtc/livekit/delegate_delayed_leave',
  federatedToken: '/_matrix/federation/unstable/io.element.msc4195/rtc/livekit/get_token',
} as const

/** The service as application service of `example.com`, with an SFU. */
export interface MemberStage {
  readonly homeserver: Homeserver
  readonly api: MemberApi
  readonly sfu: Sfu
  readonly app: TestApp
  readonly env: Readonly<Record<string, string>>
  /** Starts another replica, or the service anew. */
  startReplica(options?: TestAppOptions): Promise<TestApp>
  /** Calls an endpoint for a user, as the homeserver does. */
  callFor(userId: string, path: string, body: unknown, app?: TestApp): Promise<Response>
  /** Calls an endpoint for another homeserver. */
  callFrom(origin: string, path: string, body: unknown): Promise<Response>
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Sets the stage. */
export async function startMemberStage(options: TestAppOptions = {}): Promise<MemberStage> {
  const api = createMemberApi('example.com', AS_TOKEN)
  const homeserver = await startHomeserver({ serverName: 'example.com', memberApi: api })
  const sfu = await startSfu({ ...CREDENTIALS, ...(options.now && { now: options.now }) })
  const env = {
    LIVEKIT_URL: sfu.wsUrl,
    LIVEKIT_INTERNAL_URL: sfu.wsUrl,
    LIVEKIT_AS_TOKEN: AS_TOKEN,
    LIVEKIT_HS_TOKEN: HS_TOKEN,
    LIVEKIT_HS_SERVER_NAME: 'example.com',
    LIVEKIT_CS_API_URL_OVERRIDES: `example.com=${homeserver.url}`,
    ...options.env,
  }
  const apps: TestApp[] = []
  async function startReplica(more: TestAppOptions = {}) {
    const started = await startTestApp({ ...options, ...more, env: { ...env, ...more.env } })
    apps.push(started)
    return started
  }
  const app = await startReplica()

  async function close(): Promise<void> {
    await Promise.all([...apps.map((each) => each.close()), sfu.close(), homeserver.close()])
  }

  return {
    homeserver,
    api,
    sfu,
    app,
    env,
    startReplica,
    callFor(userId, path, body, at = app) {
      return at.post(path, body, {
        Authorization: `Bearer ${HS_TOKEN}`,
        'X-Matrix-User-Identifier': userId,
      })
    },
    callFrom(origin, path, body) {
      return app.post(path, body, {
        Authorization: `Bearer ${HS_TOKEN}`,
        'X-Matrix-Origin': origin,
      })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
