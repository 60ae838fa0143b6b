import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import type { Homeserver } from '../support/homeserver.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'

const PATH = '/.well-known/matrix/server'
const START = Date.UTC(2030, 0, 1)
const MINUTE = 60_000
const HOUR = 60 * MINUTE

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  stage.point('origin.test', '127.0.0.1')
  stage.point('hs.test', '127.0.0.1')
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

function lookUps({ requests }: Homeserver): number {
  return requests.filter(({ path }) => path === PATH).length
}

/** A service with a controlled clock, and a homeserver with these answers at well-known. */
async function startWith(...answers: ((port: number) => Answer)[]) {
  const homeserver = await stage.homeserver({ dns: ['origin.test', 'hs.test'] })
  homeserver.respond(PATH, ...answers.map((answer) => answer(homeserver.port)))
  homeserver.respond('/_matrix/*', reply(200, { sub: '@alice:origin.test' }))
  const clock = { now: START }
  const service = await stage.service({
    now: () => clock.now,
    tuning: { wellKnownPort: homeserver.port, federationPort: homeserver.port },
  })
  return {
    homeserver,
    /** Sends a request this many milliseconds after the start; returns the number of look-ups so far. */
    async lookUpsAt(sinceStart: number) {
      clock.now = START + sinceStart
      expect(await service.ask('origin.test')).toMatchObject({ status: 200 })
      return lookUps(homeserver)
    },
  }
}

const delegating =
  (headers: Record<string, string> = {}) =>
  (port: number) =>
    reply(200, { 'm.server': `hs.test:${port}` }, headers)
const missing = () => reply(404)
const unable = () => reply(503)

test('caches a well-known for as long as Cache-Control says', async () => {
  const { lookUpsAt } = await startWith(delegating({ 'cache-control': 'public, max-age=600' }))
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(599_000)).toBe(1)
  expect(await lookUpsAt(601_000)).toBe(2)
})

test('caches a well-known until it expires', async () => {
  const { lookUpsAt } = await startWith(delegating({ expires: 'Tue, 01 Jan 2030 03:00:00 GMT' }))
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(3 * HOUR - 1)).toBe(1)
  expect(await lookUpsAt(3 * HOUR + 1)).toBe(2)
})

test('caches a well-known for 24 hours by default', async () => {
  const { lookUpsAt } = await startWith(delegating())
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(24 * HOUR - 1)).toBe(1)
  expect(await lookUpsAt(24 * HOUR + 1)).toBe(2)
})

test('caches a well-known for 48 hours at most', async () => {
  const { lookUpsAt } = await startWith(delegating({ 'cache-control': 'max-age=99999999' }))
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(48 * HOUR - 1)).toBe(1)
  expect(await lookUpsAt(48 * HOUR + 1)).toBe(2)
})

test('does not cache a well-known with no-store', async () => {
  const { lookUpsAt } = await startWith(delegating({ 'cache-control': 'no-store' }))
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(0)).toBe(2)
})

test('retries a missing well-known after 2 minutes, then with growing pauses up to an hour', async () => {
  const { lookUpsAt } = await startWith(missing)
  expect(await lookUpsAt(0)).toBe(1)
  let failedAt = 0
  let count = 1
  for (const minutes of [2, 4, 8, 16, 32, 60, 60, 60]) {
    expect(await lookUpsAt(failedAt + minutes * MINUTE - 1)).toBe(count)
    failedAt += minutes * MINUTE
    count += 1
    expect(await lookUpsAt(failedAt)).toBe(count)
  }
})

test('starts at 2 minutes again after a success', async () => {
  const kept = delegating({ 'cache-control': 'max-age=60' })
  const { lookUpsAt } = await startWith(missing, missing, kept, missing)
  expect(await lookUpsAt(0)).toBe(1)
  expect(await lookUpsAt(2 * MINUTE)).toBe(2)
  expect(await lookUpsAt(6 * MINUTE)).toBe(3)
  expect(await lookUpsAt(7 * MINUTE)).toBe(4)
  expect(await lookUpsAt(9 * MINUTE - 1)).toBe(4)
  expect(await lookUpsAt(9 * MINUTE)).toBe(5)
})

test('uses a well-known that cannot be refreshed for 48 hours at most', async () => {
  const kept = delegating({ 'cache-control': 'max-age=60' })
  const { homeserver, lookUpsAt } = await startWith(kept, unable)
  const host = () => homeserver.requests.at(-1)?.host
  await lookUpsAt(0)
  await lookUpsAt(2 * HOUR)
  expect(lookUps(homeserver)).toBe(2)
  expect(host()).toBe(`hs.test:${homeserver.port}`)
  await lookUpsAt(49 * HOUR)
  expect(lookUps(homeserver)).toBe(3)
  expect(host()).toBe('origin.test')
})

test('stops using a well-known once the host says that there is none', async () => {
  const kept = delegating({ 'cache-control': 'max-age=60' })
  const { homeserver, lookUpsAt } = await startWith(kept, missing)
  await lookUpsAt(0)
  expect(homeserver.requests.at(-1)?.host).toBe(`hs.test:${homeserver.port}`)
  await lookUpsAt(2 * MINUTE)
  expect(lookUps(homeserver)).toBe(2)
  expect(homeserver.requests.at(-1)?.host).toBe('origin.test')
})

test('never caches the answer about a token', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  const service = await stage.service()
  const name = `hs.test:${homeserver.port}`
  const token = homeserver.issueOpenIdToken(`@alice:${name}`)
  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
  homeserver.revokeOpenIdToken(token)
  expect(await service.ask(name, token)).toMatchObject({ status: 401 })
})

test('caches DNS answers, negative ones included, for half a minute', async () => {
  const homeserver = await stage.homeserver({ dns: ['dns.test'] })
  stage.point('dns.test', '127.0.0.1')
  homeserver.respond('/_matrix/*', reply(200, { sub: '@alice:dns.test' }))
  let now = START
  const service = await stage.service({
    now: () => now,
    tuning: { wellKnownPort: await findClosedPort(), federationPort: homeserver.port },
  })
  const questions = async () => {
    stage.dns.queries.length = 0
    expect(await service.ask('dns.test')).toMatchObject({ status: 200 })
    // c-ares may have cached that there is no IPv6 address.
    return stage.dns.queries.filter((query) => !query.startsWith('AAAA')).toSorted()
  }
  const all = ['A dns.test', 'SRV _matrix-fed._tcp.dns.test', 'SRV _matrix._tcp.dns.test']
  expect(await questions()).toEqual(all)
  now += 29_000
  expect(await questions()).toEqual([])
  now += 2_000
  expect(await questions()).toEqual(all)
})
