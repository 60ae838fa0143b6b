import { CREDENTIALS } from '../support/credentials.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { reply } from '../support/misbehaviour.ts'
import { type ServiceProcess, startService } from '../support/service-process.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'
import { required, service } from './commands.ts'

const userinfo = '/_matrix/federation/v1/openid/userinfo'

/** The service as a process, between a homeserver and an SFU. */
export interface Stage {
  readonly running: ServiceProcess
  readonly homeserver: Homeserver
  readonly sfu: Sfu
  /** Asks for a token for `@alice:example.com`. */
  exchange(openIdToken: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** Holds back the homeserver's answers until the returned function is called. */
  hold(): () => void
  [Symbol.asyncDispose](): Promise<void>
}

/** The body that {@link Stage.exchange} sends. */
export function bodyWith(openIdToken: string): string {
  return JSON.stringify({
    room_id: '!room:example.com',
    slot_id: 'm.call#ROOM',
    openid_token: { access_token: openIdToken, matrix_server_name: 'example.com' },
    member: {
      id: 'member',
      claimed_user_id: '@alice:example.com',
      claimed_device_id: 'DEVICE',
    },
  })
}

/** Sets the stage. */
export async function startStage(env: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const homeserver = await startHomeserver({ serverName: 'example.com' })
  const sfu = await startSfu(CREDENTIALS)
  const running = await startService({
    command: service,
    env: {
      ...required,
      LIVEKIT_URL: sfu.wsUrl,
      LIVEKIT_FEDERATION_URL_OVERRIDES: `example.com=${homeserver.url}`,
      LIVEKIT_LOG_LEVEL: 'debug',
      ...env,
    },
  })

  return {
    running,
    homeserver,
    sfu,
    exchange(openIdToken, headers = {}) {
      const body = bodyWith(openIdToken)
      return fetch(`${running.url}/get_token`, { method: 'POST', body, headers })
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>()
      homeserver.respond(userinfo, async () => {
        await promise
        return reply(200, { sub: '@alice:example.com' })
      })
      return resolve
    },
    async [Symbol.asyncDispose]() {
      await running.stop()
      await sfu.close()
      await homeserver.close()
    },
  }
}
