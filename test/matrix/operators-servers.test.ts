import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { CREDENTIALS } from '../support/credentials.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { reply } from '../support/misbehaviour.ts'
import { startSfu } from '../support/sfu.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const STRICT = { LIVEKIT_FEDERATION_ALLOW_NETWORKS: '' }

test('reaches a server that is listed by name at a denied address, and no other there', async () => {
  const sfu = stage.keep(await startSfu(CREDENTIALS))
  const homeserver = await stage.homeserver({ dns: ['mine.test', 'hs.mine.test', 'theirs.test'] })
  const { port } = homeserver
  homeserver.setWellKnownServer(`hs.mine.test:${port}`)
  for (const host of ['mine.test', 'hs.mine.test', 'theirs.test']) stage.point(host, '127.0.0.1')
  const service = await stage.service({
    env: {
      ...STRICT,
      LIVEKIT_URL: sfu.wsUrl,
      LIVEKIT_FULL_ACCESS_HOMESERVERS: 'mine.test',
    },
    tuning: { wellKnownPort: port, federationPort: port },
  })
  const mine = homeserver.issueOpenIdToken('@alice:mine.test')
  const theirs = homeserver.issueOpenIdToken('@alice:theirs.test')
  expect(await service.ask('theirs.test', theirs)).toMatchObject({ status: 401 })
  expect(homeserver.connections()).toBe(0)
  expect(await service.ask('mine.test', mine)).toMatchObject({ status: 200 })
  expect(await service.ask('theirs.test', theirs)).toMatchObject({ status: 401 })
  expect(homeserver.requests.map(({ host }) => host)).toEqual([
    `mine.test:${port}`,
    `hs.mine.test:${port}`,
  ])
})

test('what a stranger was refused is not held against a listed server of the same host', async () => {
  const sfu = stage.keep(await startSfu(CREDENTIALS))
  const homeserver = await stage.homeserver({ dns: ['twin.test', 'hs.twin.test'] })
  const { port } = homeserver
  homeserver.setWellKnownServer(`hs.twin.test:${port}`)
  for (const host of ['twin.test', 'hs.twin.test']) stage.point(host, '127.0.0.1')
  const service = await stage.service({
    env: { ...STRICT, LIVEKIT_URL: sfu.wsUrl, LIVEKIT_FULL_ACCESS_HOMESERVERS: 'twin.test' },
    tuning: { wellKnownPort: port, federationPort: port },
  })
  expect(await service.ask('TWIN.test')).toMatchObject({ status: 401, step: 'connect' })
  const token = homeserver.issueOpenIdToken('@alice:twin.test')
  expect(await service.ask('twin.test', token)).toMatchObject({ status: 200 })
  expect(homeserver.requests.at(-1)?.host).toBe(`hs.twin.test:${port}`)
  expect(await service.ask('TWIN.test')).toMatchObject({ status: 401, step: 'connect' })
  expect(homeserver.requests).toHaveLength(2)
})

test('lets no stranger delegate to the address of a listed server', async () => {
  const homeserver = await stage.homeserver({ dns: ['mine.test'] }, { hostname: '127.0.0.9' })
  const { port } = homeserver
  stage.point('mine.test', '127.0.0.9')
  const origin = await stage.homeserver({ dns: ['stranger.test'] })
  origin.setWellKnownServer(`mine.test:${port}`)
  stage.point('stranger.test', '127.0.0.1')
  const service = await stage.service({
    env: { LIVEKIT_FULL_ACCESS_HOMESERVERS: `mine.test:${port}` },
    tuning: { wellKnownPort: origin.port },
  })
  expect(await service.ask('stranger.test')).toMatchObject({ status: 401 })
  expect(homeserver.connections()).toBe(0)
})

test('asks at an override over http, without discovery and whatever the address', async () => {
  const homeserver = stage.keep(await startHomeserver())
  const { address } = homeserver
  stage.dns.queries.length = 0
  const service = await stage.service({
    env: {
      ...STRICT,
      LIVEKIT_FEDERATION_URL_OVERRIDES: `over.test=http://${address}`,
    },
  })
  const token = homeserver.issueOpenIdToken('@alice:over.test')
  expect(await service.ask('over.test', token)).toMatchObject({
    status: 200,
    identity: '@alice:over.test:DEVICE',
  })
  expect(homeserver.requests.map(({ host, path }) => ({ host, path }))).toEqual([
    { host: address, path: '/_matrix/federation/v1/openid/userinfo' },
  ])
  expect(stage.dns.queries).toEqual([])
})

test('names the place of an override that nothing listens at, and what to correct', async () => {
  const place = `http://127.0.0.1:${await findClosedPort()}`
  const service = await stage.service({
    env: { ...STRICT, LIVEKIT_FEDERATION_URL_OVERRIDES: `over.test=${place}/path` },
  })
  expect(await service.ask('over.test')).toMatchObject({
    cause: `${place}: connection refused`,
    code: 'federation.refused',
  })
  expect(service.log.find(({ code }) => code === 'federation.refused')?.remedy).toContain(
    'correct its address, in LIVEKIT_FEDERATION_URL_OVERRIDES if that names it',
  )
})

test('asks at an override over https, with the certificate of the host in it', async () => {
  const homeserver = await stage.homeserver({ ip: ['127.0.0.1'] })
  const other = await stage.homeserver({ dns: ['over.test'] })
  const service = await stage.service({
    env: {
      ...STRICT,
      LIVEKIT_FEDERATION_URL_OVERRIDES: [
        `over.test=https://${homeserver.address}/behind/`,
        `wrong.test=https://${other.address}`,
      ].join(','),
    },
  })
  homeserver.respond('/behind/*', reply(200, { sub: '@alice:over.test' }))
  expect(await service.ask('over.test')).toMatchObject({ status: 200 })
  expect(homeserver.requests.map(({ path }) => path)).toEqual([
    '/behind/_matrix/federation/v1/openid/userinfo',
  ])
  expect(await service.ask('wrong.test')).toEqual({
    status: 401,
    identity: undefined,
    step: 'connect',
    cause: `https://${other.address}: certificate is for another name`,
    code: 'federation.certificate-for-another-name',
  })
  expect(other.requests).toEqual([])
})

test('believes an override no user of another server', async () => {
  const homeserver = stage.keep(await startHomeserver())
  const service = await stage.service({
    env: { LIVEKIT_FEDERATION_URL_OVERRIDES: `over.test=${homeserver.url}` },
  })
  const token = homeserver.issueOpenIdToken('@alice:elsewhere.test')
  expect(await service.ask('over.test', token)).toMatchObject({ status: 401, step: 'userinfo' })
})

test('follows no redirect of an override', async () => {
  const homeserver = stage.keep(await startHomeserver())
  homeserver.respond('/_matrix/*', { kind: 'redirect', location: '/elsewhere' })
  const service = await stage.service({
    env: { LIVEKIT_FEDERATION_URL_OVERRIDES: `over.test=${homeserver.url}` },
  })
  expect(await service.ask('over.test')).toMatchObject({
    status: 401,
    cause: `status 302, for /_matrix/federation/v1/openid/userinfo from ${homeserver.url}`,
    code: 'federation.not-matrix',
  })
  expect(homeserver.requests).toHaveLength(1)
})
