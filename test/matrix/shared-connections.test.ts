import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { CREDENTIAL_SETTINGS } from '../support/credentials.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { reply } from '../support/misbehaviour.ts'
import { startService } from '../support/service-process.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  for (const host of ['true.test', 'false.test']) stage.point(host, '127.0.0.1')
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const REFUSED = { status: 401, cause: expect.stringContaining('certificate is for another name') }

/** A homeserver with a certificate for `true.test` that vouches for every user. */
async function startAccomplice() {
  const homeserver = await stage.homeserver({ dns: ['true.test'] })
  homeserver.respond('/_matrix/*', ({ host }) => reply(200, { sub: `@alice:${host}` }))
  return homeserver
}

test('a connection for one name is not reused for another at the same address', async () => {
  const { port, requests } = await startAccomplice()
  const service = await stage.service()
  for (let round = 0; round < 3; round += 1) {
    expect(await service.ask(`true.test:${port}`)).toMatchObject({ status: 200 })
    expect(await service.ask(`false.test:${port}`)).toMatchObject(REFUSED)
    expect(await service.ask(`127.0.0.1:${port}`)).toMatchObject(REFUSED)
  }
  expect(requests.map(({ host, connection }) => ({ host, connection }))).toEqual(
    Array.from({ length: 3 }, () => ({ host: `true.test:${port}`, connection: 1 })),
  )
})

test('a refused name leaves no connection for another', async () => {
  const { port, requests } = await startAccomplice()
  const service = await stage.service()
  expect(await service.ask(`false.test:${port}`)).toMatchObject(REFUSED)
  expect(await service.ask(`true.test:${port}`)).toMatchObject({ status: 200 })
  expect(await service.ask(`false.test:${port}`)).toMatchObject(REFUSED)
  expect(requests.map(({ host }) => host)).toEqual([`true.test:${port}`])
})

test('concurrent requests to names at one address use separate connections', async () => {
  const { port, requests } = await startAccomplice()
  const service = await stage.service()
  const names = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 'true.test' : 'false.test'))
  const outcomes = await Promise.all(names.map((name) => service.ask(`${name}:${port}`)))
  expect(outcomes.map(({ status }) => status)).toEqual(
    names.map((name) => (name === 'true.test' ? 200 : 401)),
  )
  expect(new Set(requests.map(({ host }) => host))).toEqual(new Set([`true.test:${port}`]))
})

test('a connection without verification is not reused with verification', async () => {
  const { port } = await startAccomplice()
  const insecure = await stage.service({
    env: { LIVEKIT_INSECURE_SKIP_VERIFY_TLS: 'YES_I_KNOW_WHAT_I_AM_DOING' },
  })
  const careful = await stage.service()
  expect(await insecure.ask(`false.test:${port}`)).toMatchObject({ status: 200 })
  expect(await careful.ask(`false.test:${port}`)).toMatchObject(REFUSED)
})

for (const [trusted, names] of [
  ['localhost', { dns: ['localhost'] }],
  ['127.0.0.1', { ip: ['127.0.0.1'] }],
] as const) {
  test(`the process itself, with the runtime's own roots, trusts ${trusted} alone`, async () => {
    const homeserver = await stage.homeserver(names)
    const { port } = homeserver
    homeserver.respond('/_matrix/*', ({ host }) => reply(200, { sub: `@alice:${host}` }))
    const service = await startService({
      command: [process.execPath, 'src/main.ts'],
      env: {
        LIVEKIT_URL: 'ws://127.0.0.1:1',
        ...CREDENTIAL_SETTINGS,
        LIVEKIT_FULL_ACCESS_HOMESERVERS: 'operator.test',
        LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.1,::1',
        NODE_EXTRA_CA_CERTS: stage.authority.caFile,
      },
    })
    const ask = async (host: string) => {
      const response = await fetch(`${service.url}/sfu/get`, {
        method: 'POST',
        body: JSON.stringify({
          room: '!room:example.com',
          openid_token: { access_token: 'token', matrix_server_name: `${host}:${port}` },
        }),
      })
      return { host, status: response.status }
    }
    try {
      for (const host of ['localhost', '127.0.0.1', 'localhost', '127.0.0.1']) {
        expect(await ask(host)).toEqual({ host, status: host === trusted ? 200 : 401 })
      }
    } finally {
      await service.stop()
    }
    expect(homeserver.requests.map(({ host, connection }) => ({ host, connection }))).toEqual([
      { host: `${trusted}:${port}`, connection: 1 },
      { host: `${trusted}:${port}`, connection: 1 },
    ])
  })
}
