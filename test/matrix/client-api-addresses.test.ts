import { afterAll, beforeAll, expect, test } from 'bun:test'
import { remedyFor } from '../../src/catalogue/catalogue.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { freePort } from '../support/free-port.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { type AccessOptions, accessHomeservers, never } from './homeserver-access.ts'

function denied(address: string, network: string) {
  const found = `address ${address} is denied by ${network}`
  const trouble = { code: 'client-api.denied-address', found, subject: address } as const
  return { kind: 'failed', answered: false, trouble } as const
}

const DONE = { kind: 'done' } as const

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})
afterAll(() => stage.close())

function send(serverName: string, baseUrl: string, options: AccessOptions = {}) {
  const { clientApi } = accessHomeservers(stage, options)
  return clientApi.actOnDelayedEvent({ serverName, baseUrl, delayId: 'syd_1' }, 'send', never())
}

test.each([
  ['127.0.0.9', '127.0.0.9', '127.0.0.9', '127.0.0.0/8'],
  ['127.0.0.1', '[::ffff:127.0.0.1]', '::ffff:7f00:1', '127.0.0.0/8'],
  ['127.0.0.1', '0.0.0.0', '0.0.0.0', '0.0.0.0/8'],
])(
  'connects to no denied address %s, written as %s',
  async (hostname, authority, told, network) => {
    const watch = stage.keep(await startHomeserver({ hostname }))
    const baseUrl = `https://${authority}:${watch.port}`
    const env = { LIVEKIT_FEDERATION_ALLOW_NETWORKS: '' }
    expect(await send('origin.test', baseUrl, { env })).toEqual(denied(told, network))
    expect(watch.connections()).toBe(0)
  },
)

test('does not connect to a host with a denied address', async () => {
  const watch = stage.keep(await startHomeserver({ hostname: '127.0.0.9' }))
  stage.point('inside.test', '127.0.0.9')
  expect(await send('origin.test', `https://inside.test:${watch.port}`)).toEqual(
    denied('127.0.0.9', '127.0.0.0/8'),
  )
  expect(watch.connections()).toBe(0)
})

test('connects to the address that was checked, even if the DNS answer changes', async () => {
  const port = freePort('127.0.0.9', '127.0.0.1')
  const inside = stage.keep(await startHomeserver({ hostname: '127.0.0.9', port }))
  const homeserver = await stage.homeserver({ dns: ['rebind.test'] }, { port })
  homeserver.scheduleDelayedEvent('syd_1')
  const atOnce = (address: string) => ({ records: [address], ttlSeconds: 0 })
  stage.dns.set('rebind.test', 'A', atOnce('127.0.0.1'), atOnce('127.0.0.9'))
  let now = 1_900_000_000_000
  const { clientApi } = accessHomeservers(stage, { now: () => now })
  const act = (action: 'restart' | 'send') =>
    clientApi.actOnDelayedEvent(
      { serverName: 'origin.test', baseUrl: `https://rebind.test:${port}`, delayId: 'syd_1' },
      action,
      never(),
    )
  expect(await act('restart')).toEqual(DONE)
  now += 31_000
  expect(await act('send')).toEqual(denied('127.0.0.9', '127.0.0.0/8'))
  expect(inside.connections()).toBe(0)
  expect(homeserver.delayedEventCalls.map((call) => call.action)).toEqual(['restart'])
})

test('connects to a denied address of a server that is listed by name', async () => {
  const homeserver = await stage.homeserver({ dns: ['operator.test'] }, { hostname: '127.0.0.9' })
  stage.point('operator.test', '127.0.0.9')
  homeserver.scheduleDelayedEvent('syd_1')
  const baseUrl = `https://operator.test:${homeserver.port}`
  expect(await send('origin.test', baseUrl)).toEqual(denied('127.0.0.9', '127.0.0.0/8'))
  expect(homeserver.connections()).toBe(0)
  expect(await send('operator.test', baseUrl)).toEqual(DONE)
})

test('uses an override over plain HTTP, with its path prefix, for its own server only', async () => {
  const homeserver = stage.keep(await startHomeserver({ hostname: '127.0.0.9' }))
  homeserver.respond('/prefix/*', { kind: 'reply', status: 200, body: {} })
  const baseUrl = `${homeserver.url}/prefix`
  const env = { LIVEKIT_CS_API_URL_OVERRIDES: `origin.test=${baseUrl}/` }
  expect(await send('other.test', baseUrl, { env })).toEqual(denied('127.0.0.9', '127.0.0.0/8'))
  expect(homeserver.connections()).toBe(0)
  expect(await send('origin.test', baseUrl, { env })).toEqual(DONE)
  expect(homeserver.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /prefix/_matrix/client/versions',
    'POST /prefix/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_1/send',
  ])
})

test('keeps the path prefix of a discovered base URL', async () => {
  stage.point('hs.test', '127.0.0.1')
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  homeserver.respond('/prefix/*', { kind: 'reply', status: 200, body: {} })
  expect(await send('origin.test', `https://hs.test:${homeserver.port}/prefix`)).toEqual(DONE)
  expect(homeserver.requests.map(({ path }) => path)).toEqual([
    '/prefix/_matrix/client/versions',
    '/prefix/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_1/send',
  ])
})

test('refuses a certificate of another name', async () => {
  stage.point('hs.test', '127.0.0.1')
  const homeserver = await stage.homeserver({ dns: ['other.test'] })
  homeserver.scheduleDelayedEvent('syd_1')
  expect(await send('origin.test', `https://hs.test:${homeserver.port}`)).toEqual({
    kind: 'failed',
    answered: false,
    trouble: {
      code: 'client-api.certificate-for-another-name',
      found: `hs.test at 127.0.0.1 port ${homeserver.port}: certificate is for another name`,
    },
  })
  expect(homeserver.requests).toEqual([])
})

test('a client API with only denied addresses is unusable, and the remedy names the setting', async () => {
  stage.point('origin.test', '127.0.0.1')
  stage.point('inside.test', '127.0.0.9')
  const origin = await stage.homeserver({ dns: ['origin.test'] })
  const { locator } = accessHomeservers(stage, { tuning: { wellKnownPort: origin.port } })
  origin.setWellKnownClient('https://inside.test')
  const trouble = {
    code: 'client-api.denied-address',
    found: 'address 127.0.0.9 is denied by 127.0.0.0/8',
    subject: '127.0.0.9',
  } as const
  expect(await locator.locateUsable('origin.test')).toEqual({ kind: 'none', trouble })
  expect(remedyFor(trouble)).toStartWith(
    'LIVEKIT_FEDERATION_ALLOW_NETWORKS=127.0.0.9 would allow it',
  )
})
