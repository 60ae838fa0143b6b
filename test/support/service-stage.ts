import { startTestApp, type TestApp, type TestAppOptions } from './app.ts'
import { CREDENTIALS } from './credentials.ts'
import { type Homeserver, startHomeserver } from './homeserver.ts'
import { type Sfu, startSfu } from './sfu.ts'

/** The service, with the homeserver `example.com` and an SFU that the operator has named. */
export interface ServiceStage {
  readonly homeserver: Homeserver
  readonly sfu: Sfu
  readonly app: TestApp
  /** What the service was started with; for another one at the same stage. */
  readonly env: Readonly<Record<string, string>>
  /** An OpenID token of `@alice:example.com`, as a client presents it. */
  openIdToken(): { readonly access_token: string; readonly matrix_server_name: string }
  close(): Promise<void>
}

/** Sets the stage. */
export async function startServiceStage(
  options: Omit<TestAppOptions, 'env'> = {},
): Promise<ServiceStage> {
  const homeserver = await startHomeserver({ serverName: 'example.com' })
  const sfu = await startSfu(CREDENTIALS)
  const env = {
    LIVEKIT_URL: sfu.wsUrl,
    LIVEKIT_FEDERATION_URL_OVERRIDES: `example.com=${homeserver.url}`,
    LIVEKIT_CS_API_URL_OVERRIDES: `example.com=${homeserver.url}`,
  }
  const app = await startTestApp({ ...options, env })
  return {
    homeserver,
    sfu,
    app,
    env,
    openIdToken() {
      const access_token = homeserver.issueOpenIdToken('@alice:example.com')
      return { access_token, matrix_server_name: 'example.com' }
    },
    async close() {
      await Promise.all([app.close(), sfu.close(), homeserver.close()])
    },
  }
}
