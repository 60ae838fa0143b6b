import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import type { Homeserver } from '../support/homeserver.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

/** Server name and `Host` under which the homeserver got the token. */
function addressedAs({ requests }: Homeserver) {
  return requests
    .filter(({ path }) => path === '/_matrix/federation/v1/openid/userinfo')
    .map(({ host, sni }) => ({ host, sni }))
}

async function verify(
  serverName: string,
  homeserver: Homeserver,
  tuning: { wellKnownPort?: number; federationPort?: number } = {},
) {
  const service = await stage.service({ tuning })
  const token = homeserver.issueOpenIdToken(`@alice:${serverName}`)
  const { status, identity, cause } = await service.ask(serverName, token)
  expect(cause).toBeUndefined()
  expect({ status, identity }).toEqual({ status: 200, identity: `@alice:${serverName}:DEVICE` })
}

/** Stands for 443: nobody listens there. */
const noWellKnown = () => findClosedPort()

for (const { literal, ip } of [
  { literal: '127.0.0.1', ip: '127.0.0.1' },
  { literal: '[::1]', ip: '::1' },
]) {
  test(`connects to ${literal} at its port, without any look-up`, async () => {
    const homeserver = await stage.homeserver({ ip: [ip] }, { hostname: ip })
    const name = `${literal}:${homeserver.port}`
    stage.dns.queries.length = 0
    await verify(name, homeserver)
    expect(addressedAs(homeserver)).toEqual([{ host: name, sni: undefined }])
    expect(homeserver.requests).toHaveLength(1)
    expect(stage.dns.queries).toEqual([])
  })

  test(`connects to ${literal} at the default port when it names none`, async () => {
    const homeserver = await stage.homeserver({ ip: [ip] }, { hostname: ip })
    await verify(literal, homeserver, { federationPort: homeserver.port })
    expect(addressedAs(homeserver)).toEqual([{ host: literal, sni: undefined }])
  })
}

test('connects to a hostname at its port, without well-known and SRV', async () => {
  const homeserver = await stage.homeserver({ dns: ['with-port.test'] })
  homeserver.setWellKnownServer('elsewhere.test')
  stage.point('with-port.test', '127.0.0.1')
  stage.dns.queries.length = 0
  await verify(`with-port.test:${homeserver.port}`, homeserver, { wellKnownPort: homeserver.port })
  expect(addressedAs(homeserver)).toEqual([
    { host: `with-port.test:${homeserver.port}`, sni: 'with-port.test' },
  ])
  expect(homeserver.requests).toHaveLength(1)
  expect(stage.dns.queries.toSorted()).toEqual(['A with-port.test', 'AAAA with-port.test'])
})

/** Makes `origin` delegate, and returns the port of its well-known. */
async function delegate(origin: string, to: string): Promise<number> {
  const homeserver = await stage.homeserver({ dns: [origin] })
  homeserver.setWellKnownServer(to)
  stage.point(origin, '127.0.0.1')
  return homeserver.port
}

for (const { literal, ip, origin } of [
  { literal: '127.0.0.1', ip: '127.0.0.1', origin: 'to-ipv4' },
  { literal: '[::1]', ip: '::1', origin: 'to-ipv6' },
]) {
  test(`follows a delegation to ${literal} with a port`, async () => {
    const homeserver = await stage.homeserver({ ip: [ip] }, { hostname: ip })
    const delegated = `${literal}:${homeserver.port}`
    const wellKnownPort = await delegate(`${origin}-port.test`, delegated)
    await verify(`${origin}-port.test`, homeserver, { wellKnownPort })
    expect(addressedAs(homeserver)).toEqual([{ host: delegated, sni: undefined }])
  })

  test(`follows a delegation to ${literal}, at the default port`, async () => {
    const homeserver = await stage.homeserver({ ip: [ip] }, { hostname: ip })
    const wellKnownPort = await delegate(`${origin}.test`, literal)
    await verify(`${origin}.test`, homeserver, { wellKnownPort, federationPort: homeserver.port })
    expect(addressedAs(homeserver)).toEqual([{ host: literal, sni: undefined }])
  })
}

test('follows a delegation to a hostname with a port, without SRV', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.to-port.test'] }, { hostname: '127.0.0.2' })
  const delegated = `hs.to-port.test:${homeserver.port}`
  const wellKnownPort = await delegate('to-port.test', delegated)
  stage.point('hs.to-port.test', '127.0.0.2')
  stage.dns.queries.length = 0
  await verify('to-port.test', homeserver, { wellKnownPort })
  expect(addressedAs(homeserver)).toEqual([{ host: delegated, sni: 'hs.to-port.test' }])
  expect(stage.dns.queries.filter((query) => query.startsWith('SRV'))).toEqual([])
})

test('follows a delegation to a hostname through its _matrix-fed SRV record', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.to-fed.test'] }, { hostname: '127.0.0.2' })
  const { port } = homeserver
  const wellKnownPort = await delegate('to-fed.test', 'hs.to-fed.test')
  stage.srv('_matrix-fed._tcp.hs.to-fed.test', { priority: 1, weight: 1, port, target: 'a.test' })
  stage.srv('_matrix._tcp.hs.to-fed.test', { priority: 1, weight: 1, port: 1, target: 'b.test' })
  stage.point('a.test', '127.0.0.2')
  await verify('to-fed.test', homeserver, { wellKnownPort })
  expect(addressedAs(homeserver)).toEqual([{ host: 'hs.to-fed.test', sni: 'hs.to-fed.test' }])
})

test('follows a delegation to a hostname through its _matrix SRV record', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.to-old.test'] }, { hostname: '127.0.0.2' })
  const { port } = homeserver
  const wellKnownPort = await delegate('to-old.test', 'hs.to-old.test')
  stage.srv('_matrix._tcp.hs.to-old.test', { priority: 1, weight: 1, port, target: 'c.test' })
  stage.point('c.test', '127.0.0.2')
  await verify('to-old.test', homeserver, { wellKnownPort })
  expect(addressedAs(homeserver)).toEqual([{ host: 'hs.to-old.test', sni: 'hs.to-old.test' }])
})

test('follows a delegation to a hostname without SRV records, at the default port', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.to-bare.test'] })
  const wellKnownPort = await delegate('to-bare.test', 'hs.to-bare.test')
  stage.point('hs.to-bare.test', '127.0.0.1')
  await verify('to-bare.test', homeserver, { wellKnownPort, federationPort: homeserver.port })
  expect(addressedAs(homeserver)).toEqual([{ host: 'hs.to-bare.test', sni: 'hs.to-bare.test' }])
})

test('does not request the well-known of a delegated name', async () => {
  const homeserver = await stage.homeserver({ dns: ['first.test', 'second.test'] })
  homeserver.respond('/.well-known/matrix/server', {
    kind: 'reply',
    body: { 'm.server': 'second.test' },
  })
  stage.point('first.test', '127.0.0.1')
  stage.point('second.test', '127.0.0.1')
  const { port } = homeserver
  await verify('first.test', homeserver, { wellKnownPort: port, federationPort: port })
  expect(homeserver.requests.map(({ host, path }) => `${host} ${path}`)).toEqual([
    `first.test:${port} /.well-known/matrix/server`,
    'second.test /_matrix/federation/v1/openid/userinfo',
  ])
})

for (const service of ['_matrix-fed', '_matrix']) {
  const name = `no-well-known${service.replace('_', '.')}.test`
  test(`without well-known, uses the ${service} SRV record`, async () => {
    const homeserver = await stage.homeserver({ dns: [name] }, { hostname: '127.0.0.2' })
    const { port } = homeserver
    stage.point(name, '127.0.0.1')
    stage.srv(`${service}._tcp.${name}`, { priority: 1, weight: 1, port, target: `hs.${name}` })
    stage.point(`hs.${name}`, '127.0.0.2')
    await verify(name, homeserver, { wellKnownPort: await noWellKnown() })
    expect(addressedAs(homeserver)).toEqual([{ host: name, sni: name }])
  })
}

test('without well-known and SRV, connects to the name itself at the default port', async () => {
  const homeserver = await stage.homeserver({ dns: ['bare.test'] })
  stage.point('bare.test', '127.0.0.1')
  await verify('bare.test', homeserver, {
    wellKnownPort: await noWellKnown(),
    federationPort: homeserver.port,
  })
  expect(addressedAs(homeserver)).toEqual([{ host: 'bare.test', sni: 'bare.test' }])
})
