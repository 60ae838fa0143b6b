import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createAuthority } from '../support/certificates.ts'
import { freePort } from '../support/free-port.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { startService } from '../support/service-process.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'
import { composeVariables } from './environments.ts'
import { type RunningProxy, startCaddy } from './proxies.ts'
import { adapted, createFolder } from './tools.ts'

const apiKey = 'matrix'
const apiSecret = '0123456789abcdef0123456789abcdef'
const parts = new AsyncDisposableStack()

let homeserver: Homeserver
let sfu: Sfu
let proxy: RunningProxy

/** What the example sets, with what containers would provide found on this machine instead. */
function variables(folder: string, metricsPort: number, caFile: string): Record<string, string> {
  const text = adapted(JSON.stringify(composeVariables()), {
    'http://livekit:7880': sfu.url,
    '/run/secrets': folder,
    '/data': folder,
    ':9090': `127.0.0.1:${metricsPort}`,
    '"example.com"': JSON.stringify(homeserver.serverName),
  })
  return { ...(JSON.parse(text) as Record<string, string>), NODE_EXTRA_CA_CERTS: caFile }
}

beforeAll(async () => {
  const authority = parts.use(await createAuthority())
  const certificate = await authority.issue({ dns: ['localhost'], ip: ['127.0.0.1'] })
  const port = freePort('127.0.0.1')
  const serverName = `localhost:${port}`
  homeserver = parts.use(await startHomeserver({ serverName, certificate, port }))
  sfu = parts.use(await startSfu({ apiKey, apiSecret }))
  const folder = parts.use(await createFolder({ service_key: `${apiKey}: ${apiSecret}\n` }))
  const metricsPort = freePort('127.0.0.1')
  const service = parts.use(
    await startService({
      command: [process.execPath, join(import.meta.dir, '../../src/main.ts')],
      env: variables(folder.path, metricsPort, authority.caFile),
    }),
  )
  proxy = parts.use(
    await startCaddy({
      jwtPort: service.port,
      metricsPort,
      liveKitPort: Number(new URL(sfu.url).port),
    }),
  )
})

afterAll(() => parts.disposeAsync())

test('the service, behind Caddy as in the examples, hands out a token for a call', async () => {
  const userId = `@alice:${homeserver.serverName}`
  const response = await fetch(`${proxy.url}/livekit/jwt/get_token`, {
    method: 'POST',
    body: JSON.stringify({
      room_id: '!roomid:example.com',
      slot_id: 'slot1234',
      openid_token: {
        access_token: homeserver.issueOpenIdToken(userId),
        matrix_server_name: homeserver.serverName,
      },
      member: { id: 'memberABC', claimed_user_id: userId, claimed_device_id: 'DEVICE123' },
    }),
  })
  expect(await response.json()).toEqual({
    url: 'wss://matrix-rtc.example.com/livekit/sfu',
    jwt: expect.any(String),
  })
  expect([...sfu.rooms.keys()]).toEqual(['O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc'])
})
