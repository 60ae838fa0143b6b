import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { findClosedPort, startSilentListener } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { freePort } from '../support/free-port.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const userinfo = '/_matrix/federation/v1/openid/userinfo'

test('tries the next address when the first refuses the connection', async () => {
  const port = freePort('127.0.0.1', '127.0.0.2', '127.0.0.3')
  const homeserver = await stage.homeserver({ dns: ['refusing.test'] }, { port })
  stage.point('refusing.test', '127.0.0.2', '127.0.0.3', '127.0.0.1')
  const service = await stage.service()
  const name = `refusing.test:${port}`
  const token = homeserver.issueOpenIdToken(`@alice:${name}`)
  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
})

test('tries the next address when the first is silent, and starts with it afterwards', async () => {
  const port = freePort('127.0.0.2', '127.0.0.1')
  const silent = stage.keep(await startSilentListener('127.0.0.2', port))
  const homeserver = await stage.homeserver({ dns: ['silent.test'] }, { port })
  stage.point('silent.test', '127.0.0.2', '127.0.0.1')
  const service = await stage.service({ tuning: { attemptMs: 1_000 } })
  const name = `silent.test:${port}`
  for (let round = 0; round < 2; round += 1) {
    const token = homeserver.issueOpenIdToken(`@alice:${name}`)
    expect(await service.ask(name, token)).toMatchObject({ status: 200 })
  }
  expect(silent.connections()).toBe(1)
})

test('tries the IPv4 address when nobody listens at the IPv6 one', async () => {
  const homeserver = await stage.homeserver({ dns: ['dual.test'] })
  stage.point('dual.test', '::1', '127.0.0.1')
  const service = await stage.service()
  const name = `dual.test:${homeserver.port}`
  const token = homeserver.issueOpenIdToken(`@alice:${name}`)
  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
})

test('reaches a homeserver that has IPv6 only', async () => {
  const homeserver = await stage.homeserver({ dns: ['six.test'] }, { hostname: '::1' })
  stage.point('six.test', '::1')
  const service = await stage.service()
  const name = `six.test:${homeserver.port}`
  const token = homeserver.issueOpenIdToken(`@alice:${name}`)
  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
  expect(homeserver.requests.map(({ host, sni }) => ({ host, sni }))).toEqual([
    { host: name, sni: 'six.test' },
  ])
})

test('follows a CNAME', async () => {
  const homeserver = await stage.homeserver({ dns: ['alias.test'] })
  stage.dns.set('alias.test', 'CNAME', { records: ['canonical.test'], ttlSeconds: 0 })
  stage.point('canonical.test', '127.0.0.1')
  const service = await stage.service()
  const name = `alias.test:${homeserver.port}`
  const token = homeserver.issueOpenIdToken(`@alice:${name}`)
  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
  expect(homeserver.requests.map(({ sni }) => sni)).toEqual(['alias.test'])
})

test('tries no more than three addresses of a name', async () => {
  const port = await findClosedPort()
  const addresses = [11, 12, 13, 14, 15, 16, 17, 18].map((last) => `127.0.0.${last}`)
  stage.point('many.test', ...addresses)
  const service = await stage.service({
    env: { LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.0/24' },
  })
  const { status, cause } = await service.ask(`many.test:${port}`)
  expect(status).toBe(401)
  expect(String(cause).match(/connection refused/g)).toHaveLength(3)
})

test('reports a name without an address', async () => {
  const service = await stage.service()
  expect(await service.ask('nowhere.test:443')).toEqual({
    status: 401,
    identity: undefined,
    step: 'connect',
    cause: 'nowhere.test: has no address',
    code: 'federation.no-address',
  })
})

test('reports a silent name server', async () => {
  stage.dns.set('mute.test', 'A', 'silence')
  stage.dns.set('mute.test', 'AAAA', 'silence')
  const service = await stage.service({ tuning: { dnsTimeoutMs: 100 } })
  expect(await service.ask('mute.test:443')).toEqual({
    status: 401,
    identity: undefined,
    step: 'connect',
    cause: 'mute.test: DNS: timeout',
    code: 'federation.dns-failed',
  })
})

test('reports a failing name server', async () => {
  stage.dns.set('servfail.test', 'A', { rcode: 'SERVFAIL' })
  stage.dns.set('servfail.test', 'AAAA', { rcode: 'SERVFAIL' })
  const service = await stage.service()
  const { status, cause, code } = await service.ask('servfail.test:443')
  expect([status, code]).toEqual([401, 'federation.dns-failed'])
  expect(cause).toMatch(/^servfail\.test: DNS: \w+$/)
})

test('reuses the connection to a homeserver', async () => {
  const homeserver = await stage.homeserver({ dns: ['reuse.test'] })
  stage.point('reuse.test', '127.0.0.1')
  const service = await stage.service()
  const name = `reuse.test:${homeserver.port}`
  for (let round = 0; round < 5; round += 1) {
    await service.ask(name, homeserver.issueOpenIdToken(`@alice:${name}`))
  }
  expect(homeserver.requests.map(({ path, connection }) => ({ path, connection }))).toEqual(
    Array.from({ length: 5 }, () => ({ path: userinfo, connection: 1 })),
  )
})

test('reports a port that does not speak TLS', async () => {
  using plain = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket) {
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      },
    },
  })
  stage.point('plain.test', '127.0.0.1')
  const service = await stage.service()
  expect(await service.ask(`plain.test:${plain.port}`)).toEqual({
    status: 401,
    identity: undefined,
    step: 'connect',
    cause: `plain.test at 127.0.0.1 port ${plain.port}: the port does not speak TLS`,
    code: 'federation.tls-failed',
  })
})
