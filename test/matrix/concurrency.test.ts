import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { type Stage, setStage } from '../support/federation-stage.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  for (const host of ['origin.test', 'hs.test', 'other.test']) stage.point(host, '127.0.0.1')
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

/** Makes a homeserver hold every request about a token until the gate is opened. */
function hold(homeserver: Homeserver, sub: string) {
  const gate = Promise.withResolvers<void>()
  homeserver.respond('/_matrix/*', async () => {
    await gate.promise
    return reply(200, { sub })
  })
  return gate
}

test('concurrent requests for one server share its look-ups', async () => {
  const homeserver = await stage.homeserver({ dns: ['origin.test', 'hs.test'] })
  const { port } = homeserver
  homeserver.setWellKnownServer('hs.test')
  homeserver.respond('/_matrix/*', reply(200, { sub: '@alice:origin.test' }))
  stage.srv('_matrix-fed._tcp.hs.test', { priority: 1, weight: 1, port, target: 'hs.test' })
  const service = await stage.service({ tuning: { wellKnownPort: port } })
  stage.dns.queries.length = 0
  const outcomes = await Promise.all(Array.from({ length: 12 }, () => service.ask('origin.test')))
  expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200))
  expect(homeserver.requests.filter(({ path }) => path.startsWith('/.well-known'))).toHaveLength(1)
  expect(stage.dns.queries.toSorted()).toEqual([
    'A hs.test',
    'A origin.test',
    'AAAA hs.test',
    'AAAA origin.test',
    'SRV _matrix-fed._tcp.hs.test',
    'SRV _matrix._tcp.hs.test',
  ])
})

test('requests for one server share a failed look-up too', async () => {
  const homeserver = await stage.homeserver({ dns: ['origin.test'] })
  const { port } = homeserver
  homeserver.respond('/.well-known/*', { kind: 'hang' })
  homeserver.respond('/_matrix/*', reply(200, { sub: '@alice:origin.test' }))
  const service = await stage.service({
    tuning: { wellKnownPort: port, federationPort: port, wellKnownTimeoutMs: 1_000 },
  })
  const outcomes = await Promise.all(Array.from({ length: 12 }, () => service.ask('origin.test')))
  expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200))
  expect(homeserver.requests.filter(({ path }) => path.startsWith('/.well-known'))).toHaveLength(1)
})

test('sixteen requests to one server are under way at once, the rest wait and succeed', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  const other = await stage.homeserver({ dns: ['other.test'] })
  const name = `hs.test:${homeserver.port}`
  const gate = hold(homeserver, `@alice:${name}`)
  const service = await stage.service()
  const outcomes = Promise.all(Array.from({ length: 40 }, () => service.ask(name)))
  await until(() => homeserver.requests.length >= 16)

  const otherName = `other.test:${other.port}`
  const token = other.issueOpenIdToken(`@bob:${otherName}`)
  expect(await service.ask(otherName, token)).toMatchObject({ status: 200 })
  expect(homeserver.requests).toHaveLength(16)

  gate.resolve()
  expect((await outcomes).map(({ status }) => status)).toEqual(
    Array.from({ length: 40 }, () => 200),
  )
  expect(homeserver.connections()).toBeLessThanOrEqual(16)
})

test('waiting requests fail at their deadline', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  homeserver.respond('/_matrix/*', { kind: 'hang' })
  const name = `hs.test:${homeserver.port}`
  const service = await stage.service({ tuning: { exchangeTimeoutMs: 300 } })
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => service.ask(name)))
  // A request that gets a place at the very end may fail in either step.
  for (const { status, step, cause } of outcomes) {
    expect({ status, cause }).toEqual({ status: 401, cause: 'timeout after 0.3 s' })
    expect(step).toMatch(/^(?:queue|connect)$/)
  }
})

test('an aborted request makes room for the next', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  homeserver.respond('/_matrix/*', { kind: 'hang' })
  const name = `hs.test:${homeserver.port}`
  const service = await stage.service({ tuning: { exchangeTimeoutMs: 1_000 } })
  await Promise.all(Array.from({ length: 20 }, () => service.ask(name)))
  homeserver.restore()
  const token = homeserver.issueOpenIdToken(`@alice:${name}`)
  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
})
