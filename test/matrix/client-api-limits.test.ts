import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { until } from '../support/until.ts'
import { accessHomeservers, never } from './homeserver-access.ts'

const VERSIONS = '/_matrix/client/versions'
const ENDPOINTS = '/_matrix/client/unstable/*'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  stage.point('hs.test', '127.0.0.1')
})
afterAll(() => stage.close())

async function startWith(clientApiTimeoutMs: number) {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  homeserver.scheduleDelayedEvent('syd_1')
  const { clientApi } = accessHomeservers(stage, { tuning: { clientApiTimeoutMs } })
  const baseUrl = `https://hs.test:${homeserver.port}`
  const event = { serverName: 'origin.test', baseUrl, delayId: 'syd_1' }
  return {
    homeserver,
    restart: (limitMs?: number, signal = never()) =>
      clientApi.actOnDelayedEvent(event, 'restart', signal, limitMs),
  }
}

function timeout(seconds: number) {
  const trouble = { code: 'client-api.timeout', found: `timeout after ${seconds} s` } as const
  return { kind: 'failed', answered: false, trouble } as const
}

test('an attempt ends at its time limit', async () => {
  const { homeserver, restart } = await startWith(5_000)
  homeserver.respond(ENDPOINTS, { kind: 'hang' })
  const start = performance.now()
  expect(await restart(200)).toEqual(timeout(0.2))
  expect(performance.now() - start).toBeWithin(190, 1_000)
})

test('an attempt ends at the usual timeout, even if its limit is longer', async () => {
  const { homeserver, restart } = await startWith(200)
  homeserver.respond(ENDPOINTS, { kind: 'hang' })
  expect(await restart(60_000)).toEqual(timeout(0.2))
})

test('an unanswered request for versions leaves half of the time for the attempt', async () => {
  const { homeserver, restart } = await startWith(1_000)
  homeserver.respond(VERSIONS, { kind: 'hang' })
  const start = performance.now()
  expect(await restart()).toEqual({ kind: 'done' })
  expect(performance.now() - start).toBeWithin(490, 990)
})

test('an attempt with a short limit does not shorten the request for versions for others', async () => {
  const { homeserver, restart } = await startWith(2_000)
  homeserver.setUnstableFeatures({ 'org.matrix.msc4140.stable': true })
  const features = { unstable_features: { 'org.matrix.msc4140.stable': true } }
  const body = JSON.stringify(features)
  const then = { kind: 'reply', status: 200, body } as const
  homeserver.respond(VERSIONS, { kind: 'delay', delayMs: 300, then })
  const [hasty, patient] = await Promise.all([restart(100), restart()])
  expect(hasty).toEqual(timeout(0.1))
  expect(patient).toEqual({ kind: 'done' })
  expect(homeserver.requests.filter(({ path }) => path === VERSIONS)).toHaveLength(1)
})

test('an attempt that was aborted during the request for versions is not made later', async () => {
  const { homeserver, restart } = await startWith(1_000)
  const answered = Promise.withResolvers<void>()
  homeserver.respond(VERSIONS, async () => {
    await answered.promise
    return { kind: 'reply', status: 200, body: {} }
  })
  const abort = new AbortController()
  const acting = restart(undefined, abort.signal)
  await until(() => homeserver.requests.length === 1)
  abort.abort()
  expect(await acting).toEqual({
    kind: 'failed',
    answered: false,
    trouble: { code: 'client-api.given-up', found: 'given up' },
  })
  answered.resolve()
  await Bun.sleep(50)
  expect(homeserver.delayedEventCalls).toEqual([])
})

test('locates 8 names at a time; the others wait for a place or time out', async () => {
  const names = Array.from({ length: 40 }, (_, index) => `hs-${index}.test`)
  const origin = await stage.homeserver({ dns: names })
  for (const name of names) stage.point(name, '127.0.0.1')
  origin.respond('/.well-known/matrix/client', { kind: 'hang' })
  const tuning = { wellKnownPort: origin.port, wellKnownTimeoutMs: 1_000 }
  const { locator } = accessHomeservers(stage, { tuning })
  const locations = Promise.all(names.map((name) => locator.locate(name)))
  await until(() => origin.requests.length >= 8)
  await Bun.sleep(100)
  expect(origin.requests).toHaveLength(8)
  for (const location of await locations) {
    expect(location).toEqual({
      kind: 'unknown',
      trouble: { code: 'client-api.timeout', found: 'timeout after 1 s' },
    })
  }
})
