import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { createAuthority } from '../support/certificates.ts'
import { findClosedPort, startSilentListener } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { startHomeserver } from '../support/homeserver.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  for (const host of ['a.test', 'b.test', 'hs.test']) stage.point(host, '127.0.0.1')
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const REFUSED = {
  status: 401,
  identity: undefined,
  step: 'connect',
  code: 'federation.certificate-for-another-name',
}

test.each([
  ['that is for another name', { dns: ['b.test'] }, 'a.test'],
  [
    'for a name where the server is named by its address',
    { dns: ['a.test', '127.0.0.1'] },
    '127.0.0.1',
  ],
  ['for the address where the server is named by a name', { ip: ['127.0.0.1'] }, 'a.test'],
])('refuses a certificate %s', async (_, names, host) => {
  const homeserver = await stage.homeserver(names)
  const { port } = homeserver
  const service = await stage.service()
  expect(await service.ask(`${host}:${port}`)).toEqual({
    ...REFUSED,
    cause: `${host} at 127.0.0.1 port ${port}: certificate is for another name`,
  })
  expect(homeserver.requests).toEqual([])
})

test('refuses a certificate for the SRV target instead of the name', async () => {
  const homeserver = await stage.homeserver({ dns: ['target.test'] })
  const { port } = homeserver
  stage.srv('_matrix-fed._tcp.srv.test', { priority: 1, weight: 1, port, target: 'target.test' })
  stage.point('target.test', '127.0.0.1')
  stage.point('srv.test', '127.0.0.1')
  const wellKnownPort = await findClosedPort()
  const service = await stage.service({ tuning: { wellKnownPort } })
  const { cause, ...outcome } = await service.ask('srv.test')
  expect(outcome).toEqual(REFUSED)
  expect(cause).toBe(
    `target.test at 127.0.0.1 port ${port}: certificate is for another name; ` +
      `well-known: srv.test at 127.0.0.1 port ${wellKnownPort}: connection refused`,
  )
  expect(homeserver.requests).toEqual([])
})

test('refuses a certificate for the delegating name instead of the delegated one', async () => {
  const homeserver = await stage.homeserver({ dns: ['a.test'] })
  const { port } = homeserver
  homeserver.setWellKnownServer(`hs.test:${port}`)
  const service = await stage.service({ tuning: { wellKnownPort: port } })
  expect(await service.ask('a.test')).toEqual({
    ...REFUSED,
    cause: `hs.test at 127.0.0.1 port ${port}: certificate is for another name`,
  })
  expect(homeserver.requests.map(({ path }) => path)).toEqual(['/.well-known/matrix/server'])
})

test('refuses an expired certificate', async () => {
  const notAfter = new Date(Date.now() - 60_000)
  const homeserver = await stage.homeserver({ dns: ['a.test'], notAfter })
  const { port } = homeserver
  const service = await stage.service()
  expect(await service.ask(`a.test:${port}`)).toEqual({
    ...REFUSED,
    cause: `a.test at 127.0.0.1 port ${port}: certificate has expired`,
    code: 'federation.certificate-expired',
  })
  expect(homeserver.requests).toEqual([])
})

test('refuses a certificate of an untrusted authority', async () => {
  await using stranger = await createAuthority()
  const certificate = await stranger.issue({ dns: ['a.test'] })
  const homeserver = stage.keep(await startHomeserver({ certificate }))
  const service = await stage.service()
  const { cause, ...outcome } = await service.ask(`a.test:${homeserver.port}`)
  expect(outcome).toEqual({ ...REFUSED, code: 'federation.certificate-untrusted' })
  expect(cause).toBe(
    `a.test at 127.0.0.1 port ${homeserver.port}: certificate is signed by an unknown authority`,
  )
  expect(homeserver.requests).toEqual([])
})

test('gives up on a homeserver that never finishes the handshake', async () => {
  const silent = stage.keep(await startSilentListener())
  const service = await stage.service({ tuning: { exchangeTimeoutMs: 200 } })
  expect(await service.ask(`a.test:${silent.port}`)).toEqual({
    ...REFUSED,
    cause: 'timeout after 0.2 s',
    code: 'federation.timeout',
  })
})

test('ignores the well-known of a server with the wrong certificate', async () => {
  const impostor = await stage.homeserver({ dns: ['b.test'] })
  impostor.setWellKnownServer(`b.test:${impostor.port}`)
  const homeserver = await stage.homeserver({ dns: ['a.test'] })
  const service = await stage.service({
    tuning: { wellKnownPort: impostor.port, federationPort: homeserver.port },
  })
  const token = homeserver.issueOpenIdToken('@alice:a.test')
  expect(await service.ask('a.test', token)).toMatchObject({ status: 200 })
  expect(impostor.requests).toEqual([])
})

test('accepts any certificate of homeservers if the operator turned verification off', async () => {
  await using stranger = await createAuthority()
  const certificate = await stranger.issue({ dns: ['b.test'], notAfter: new Date(0) })
  const homeserver = stage.keep(await startHomeserver({ certificate }))
  const token = homeserver.issueOpenIdToken('@alice:a.test')
  const insecure = await stage.service({
    env: { LIVEKIT_INSECURE_SKIP_VERIFY_TLS: 'YES_I_KNOW_WHAT_I_AM_DOING' },
    tuning: { wellKnownPort: homeserver.port, federationPort: homeserver.port },
  })
  expect(await insecure.ask('a.test', token)).toMatchObject({
    status: 200,
    identity: '@alice:a.test:DEVICE',
  })
  const careful = await stage.service()
  expect(await careful.ask(`a.test:${homeserver.port}`)).toMatchObject({
    ...REFUSED,
    code: 'federation.certificate-expired',
  })
})
