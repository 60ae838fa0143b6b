import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { createResolver } from '../../src/net/resolver.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { type Service, type Stage, setStage } from '../support/federation-stage.ts'
import { freePort } from '../support/free-port.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const ALLOWED = { LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.0/8' }

function addresses(count: number, from = 10): string[] {
  return Array.from({ length: count }, (_, index) => `127.0.0.${from + index}`)
}

test('keeps 16 addresses of a name', async () => {
  stage.point('crowd.test', ...addresses(40))
  const resolver = createResolver({ now: Date.now })
  const found = await resolver.addresses('crowd.test')
  expect(found).toHaveLength(16)
  expect(addresses(40)).toEqual(expect.arrayContaining([...found]))
  stage.point('few.test', ...addresses(16))
  expect((await resolver.addresses('few.test')).toSorted()).toEqual(addresses(16).toSorted())
})

test('keeps 32 records of a service', async () => {
  const record = (port: number) => ({ priority: 1, weight: 1, port, target: 'hs.test' })
  const records = (count: number) => Array.from({ length: count }, (_, index) => record(index + 1))
  stage.srv('_crowd._tcp.test', ...records(60))
  stage.srv('_few._tcp.test', ...records(32))
  const resolver = createResolver({ now: Date.now })
  expect(await resolver.services('_crowd._tcp.test')).toHaveLength(32)
  const few = await resolver.services('_few._tcp.test')
  expect(few.toSorted((a, b) => a.port - b.port)).toEqual(records(32))
})

/** The addresses that the only remedy in the log would allow. */
function suggestedBy({ log }: Service): readonly string[] {
  const [remedy, ...others] = log.flatMap((line) => line.remedy ?? [])
  expect(others).toEqual([])
  const list = /^LIVEKIT_FEDERATION_ALLOW_NETWORKS=([\d.,]+) would/.exec(String(remedy))?.[1] ?? ''
  return list.split(',')
}

test('a name with many denied addresses fills no more than a bounded log line', async () => {
  stage.point('denied.test', ...addresses(60))
  const service = await stage.service({ env: { LIVEKIT_FEDERATION_ALLOW_NETWORKS: '' } })
  const { status, cause } = await service.ask('denied.test:443')
  expect(status).toBe(401)
  expect(String(cause).match(/is denied by/g)?.length).toBeLessThanOrEqual(16)
  expect(String(cause).length).toBeLessThanOrEqual(1_000)
  expect(suggestedBy(service)).toHaveLength(16)
})

test('services at names with many denied addresses suggest to allow 16 of them', async () => {
  const hosts = ['a', 'b', 'c', 'd'].map((name) => `${name}.inside.test`)
  for (const [index, host] of hosts.entries()) stage.point(host, ...addresses(16, index * 16 + 1))
  const record = { weight: 1, port: 8448 }
  const records = hosts.map((target, index) => ({ ...record, priority: index + 1, target }))
  stage.srv('_matrix-fed._tcp.inside.test', ...records)
  const service = await stage.service({ env: { LIVEKIT_FEDERATION_ALLOW_NETWORKS: '' } })
  expect((await service.ask('inside.test')).code).toBe('federation.denied-address')
  expect(new Set(suggestedBy(service)).size).toBe(16)
})

async function startTargets(name: string, targets: number) {
  const port = await findClosedPort()
  const hosts = Array.from({ length: targets }, (_, index) => `${index}.${name}`)
  for (const [index, host] of hosts.entries()) stage.point(host, ...addresses(8, 10 + index * 10))
  return hosts.map((target, index) => ({ priority: index, weight: 1, port, target }))
}

test('dead addresses of one target leave attempts for the next', async () => {
  const homeserver = await stage.homeserver({ dns: ['next.test'] })
  stage.point('alive.test', '127.0.0.1')
  const { port } = homeserver
  const dead = await startTargets('next.test', 1)
  const alive = { priority: 9, weight: 1, port, target: 'alive.test' }
  stage.srv('_matrix-fed._tcp.next.test', ...dead, alive)
  const tuning = { wellKnownPort: await findClosedPort() }
  const service = await stage.service({ env: ALLOWED, tuning })
  const token = homeserver.issueOpenIdToken('@alice:next.test')
  expect(await service.ask('next.test', token)).toMatchObject({ status: 200 })
})

test('no more than six addresses are tried in all', async () => {
  stage.srv('_matrix-fed._tcp.six.test', ...(await startTargets('six.test', 4)))
  const wellKnownPort = await findClosedPort()
  const service = await stage.service({ env: ALLOWED, tuning: { wellKnownPort } })
  const { status, cause } = await service.ask('six.test')
  expect(status).toBe(401)
  expect(String(cause).match(/\d\.six\.test at [\d.]+ port \d+: connection refused/g)).toHaveLength(
    6,
  )
})

test('a failure of one name does not affect another at the same address', async () => {
  const port = freePort('127.0.0.1', '127.0.0.2')
  const first = await stage.homeserver({ dns: ['b.test'] }, { hostname: '127.0.0.1', port })
  const second = await stage.homeserver(
    { dns: ['a.test', 'b.test'] },
    { hostname: '127.0.0.2', port },
  )
  for (const name of ['a.test', 'b.test']) stage.point(name, '127.0.0.1', '127.0.0.2')
  for (const homeserver of [first, second]) {
    homeserver.respond('/_matrix/*', ({ host }) => ({
      kind: 'reply',
      status: 200,
      body: { sub: `@alice:${host}` },
    }))
  }
  const service = await stage.service()
  for (const name of ['a.test', 'b.test', 'a.test']) {
    expect(await service.ask(`${name}:${port}`)).toMatchObject({ status: 200 })
  }
  expect(first.requests.map(({ host }) => host)).toEqual([`b.test:${port}`])
  expect(second.requests.map(({ host }) => host)).toEqual([`a.test:${port}`, `a.test:${port}`])
})
