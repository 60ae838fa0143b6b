import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { type Service, type Stage, setStage } from '../support/federation-stage.ts'
import { freePort } from '../support/free-port.ts'
import { startHomeserver } from '../support/homeserver.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

/** The default settings, without exceptions. */
const STRICT = { LIVEKIT_FEDERATION_ALLOW_NETWORKS: '' }

/** Speaks no TLS, so that it counts TCP connections. */
async function startWatch(hostname: string, port = 0) {
  return stage.keep(await startHomeserver({ hostname, port }))
}

/** Result of asking for a token, with the remedy in the log line. */
async function ask(service: Service, serverName: string) {
  const outcome = await service.ask(serverName)
  const { remedy } = service.log.findLast(({ cause }) => cause === outcome.cause) ?? {}
  return { ...outcome, remedy }
}

function allowing(address: string): string {
  return (
    `LIVEKIT_FEDERATION_ALLOW_NETWORKS=${address} would allow it; so would naming your own homeserver ` +
    'in LIVEKIT_FULL_ACCESS_HOMESERVERS. Leave it denied unless it is yours: anybody can name any server.'
  )
}

function denied(address: string, network: string) {
  return {
    status: 401,
    identity: undefined,
    step: 'connect',
    cause: `address ${address} is denied by ${network}`,
    code: 'federation.denied-address',
    remedy: allowing(address),
  }
}

for (const [literal, address, network] of [
  ['127.0.0.1', '127.0.0.1', '127.0.0.0/8'],
  ['0.0.0.0', '0.0.0.0', '0.0.0.0/8'],
  ['[::1]', '::1', '::/10'],
  ['[::]', '::', '::/10'],
  ['[::ffff:127.0.0.1]', '::ffff:127.0.0.1', '127.0.0.0/8'],
  ['[::ffff:7f00:1]', '::ffff:7f00:1', '127.0.0.0/8'],
  ['[::127.0.0.1]', '::127.0.0.1', '::/10'],
  ['[64:ff9b::127.0.0.1]', '64:ff9b::127.0.0.1', '127.0.0.0/8'],
  ['[64:ff9b::7f00:1]', '64:ff9b::7f00:1', '127.0.0.0/8'],
  ['[0:0:0:0:0:ffff:7f00:1]', '0:0:0:0:0:ffff:7f00:1', '127.0.0.0/8'],
] as const) {
  test(`does not connect to ${literal}`, async () => {
    const watch = await startWatch('127.0.0.1')
    const service = await stage.service({ env: STRICT })
    expect(await ask(service, `${literal}:${watch.port}`)).toEqual(denied(address, network))
    expect(watch.connections()).toBe(0)
  })
}

test('does not connect to a name with denied addresses', async () => {
  const watch = await startWatch('127.0.0.1')
  stage.point('loop.test', '127.0.0.1')
  const service = await stage.service({ env: STRICT })
  expect(await ask(service, `loop.test:${watch.port}`)).toEqual(denied('127.0.0.1', '127.0.0.0/8'))
  expect(watch.connections()).toBe(0)
})

test('does not connect to a denied address from a well-known', async () => {
  const watch = await startWatch('127.0.0.9')
  const origin = await stage.homeserver({ dns: ['delegating.test'] })
  origin.setWellKnownServer(`127.0.0.9:${watch.port}`)
  stage.point('delegating.test', '127.0.0.1')
  const service = await stage.service({ tuning: { wellKnownPort: origin.port } })
  expect(await ask(service, 'delegating.test')).toEqual(denied('127.0.0.9', '127.0.0.0/8'))
  expect(watch.connections()).toBe(0)
})

test('does not connect to a denied address from an SRV record', async () => {
  const watch = await startWatch('127.0.0.9')
  const { port } = watch
  stage.point('srv.test', '127.0.0.1')
  stage.point('target.test', '127.0.0.9')
  stage.srv('_matrix-fed._tcp.srv.test', { priority: 1, weight: 1, port, target: 'target.test' })
  const service = await stage.service({ tuning: { wellKnownPort: await findClosedPort() } })
  const { cause, code, remedy } = await ask(service, 'srv.test')
  expect(cause).toStartWith('address 127.0.0.9 is denied by 127.0.0.0/8; well-known: ')
  expect({ code, remedy }).toEqual({
    code: 'federation.denied-address',
    remedy: allowing('127.0.0.9'),
  })
  expect(watch.connections()).toBe(0)
})

test('does not request a well-known at a denied address', async () => {
  const watch = await startWatch('127.0.0.9')
  stage.point('inside.test', '127.0.0.9')
  const { port } = watch
  const service = await stage.service({ tuning: { wellKnownPort: port, federationPort: port } })
  expect((await service.ask('inside.test')).status).toBe(401)
  expect(watch.connections()).toBe(0)
})

test('of several addresses, connects only to the one that is permitted', async () => {
  const port = freePort('127.0.0.9', '127.0.0.1')
  const watch = await startWatch('127.0.0.9', port)
  const homeserver = await stage.homeserver({ dns: ['mixed.test'] }, { port })
  stage.point('mixed.test', '127.0.0.9', '127.0.0.1')
  const service = await stage.service()
  const token = homeserver.issueOpenIdToken(`@alice:mixed.test:${port}`)
  expect(await service.ask(`mixed.test:${port}`, token)).toMatchObject({ status: 200 })
  expect(watch.connections()).toBe(0)
})

test('does not fall back to a denied address when the permitted one is dead', async () => {
  const watch = await startWatch('127.0.0.9', freePort('127.0.0.9', '127.0.0.1'))
  stage.point('half.test', '127.0.0.1', '127.0.0.9')
  const service = await stage.service()
  expect(await ask(service, `half.test:${watch.port}`)).toEqual({
    ...denied('127.0.0.9', '127.0.0.0/8'),
    cause:
      'address 127.0.0.9 is denied by 127.0.0.0/8; ' +
      `half.test at 127.0.0.1 port ${watch.port}: connection refused`,
  })
  expect(watch.connections()).toBe(0)
})

test('connects to addresses that the operator allows', async () => {
  const homeserver = await stage.homeserver({ ip: ['127.0.0.9'] }, { hostname: '127.0.0.9' })
  const name = `127.0.0.9:${homeserver.port}`
  const service = await stage.service({
    env: { LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.9' },
  })
  const token = homeserver.issueOpenIdToken(`@alice:${name}`)
  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
})

test("denies the operator's networks instead of the default", async () => {
  const homeserver = await stage.homeserver({ ip: ['127.0.0.2'] }, { hostname: '127.0.0.2' })
  const { port } = homeserver
  const service = await stage.service({
    env: {
      LIVEKIT_FEDERATION_DENY_NETWORKS: '10.0.0.0/8',
      LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.2',
    },
  })
  const token = homeserver.issueOpenIdToken(`@alice:127.0.0.2:${port}`)
  expect(await service.ask(`127.0.0.2:${port}`, token)).toMatchObject({ status: 200 })
  expect(await ask(service, `10.0.0.1:${port}`)).toEqual(denied('10.0.0.1', '10.0.0.0/8'))
})

test('does not connect to loopback when the operator denies other networks', async () => {
  const watch = await startWatch('127.0.0.1')
  const service = await stage.service({
    env: { ...STRICT, LIVEKIT_FEDERATION_DENY_NETWORKS: '10.0.0.0/8,fd00::/8' },
  })
  for (const [literal, address] of [
    ['127.0.0.1', '127.0.0.1'],
    ['[::ffff:127.0.0.1]', '::ffff:127.0.0.1'],
    ['[64:ff9b::7f00:1]', '64:ff9b::7f00:1'],
  ] as const) {
    expect(await ask(service, `${literal}:${watch.port}`)).toEqual(denied(address, '127.0.0.0/8'))
  }
  expect(watch.connections()).toBe(0)
})

test('connects to loopback when the operator denies nothing', async () => {
  const homeserver = await stage.homeserver({ ip: ['127.0.0.2'] }, { hostname: '127.0.0.2' })
  const name = `127.0.0.2:${homeserver.port}`
  const service = await stage.service({
    env: { ...STRICT, LIVEKIT_FEDERATION_DENY_NETWORKS: 'none' },
  })
  const token = homeserver.issueOpenIdToken(`@alice:${name}`)
  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
})
