import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { findClosedPort, startSilentListener } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import type { Homeserver } from '../support/homeserver.ts'

let stage: Stage
let wellKnownPort: number

beforeAll(async () => {
  stage = await setStage()
  wellKnownPort = await findClosedPort()
  stage.point('hs.test', '127.0.0.1')
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

/** Two homeservers of one name. */
function pair(name: string): Promise<[Homeserver, Homeserver]> {
  return Promise.all([stage.homeserver({ dns: [name] }), stage.homeserver({ dns: [name] })])
}

async function whichAnswers(
  name: string,
  among: readonly Homeserver[],
  { random = () => 0, attemptMs }: { random?: () => number; attemptMs?: number } = {},
) {
  const tuning = { wellKnownPort, ...(attemptMs !== undefined && { attemptMs }) }
  const service = await stage.service({ tuning, random })
  const token = crypto.randomUUID()
  for (const homeserver of among) {
    homeserver.requests.length = 0
    const sub = `@alice:${name}`
    homeserver.respond('/_matrix/*', { kind: 'reply', body: { sub } })
  }
  expect(await service.ask(name, token)).toMatchObject({ status: 200 })
  return among.map(({ requests }) => requests.length)
}

function record(priority: number, weight: number, { port }: { readonly port: number }) {
  return { priority, weight, port, target: 'hs.test' }
}

test('takes the target of the lowest priority, whatever its weight', async () => {
  const [low, high] = await pair('priority.test')
  stage.srv('_matrix-fed._tcp.priority.test', record(20, 65_535, high), record(10, 1, low))
  expect(await whichAnswers('priority.test', [low, high], { random: () => 0.999 })).toEqual([1, 0])
})

test('draws among targets of one priority by their weight', async () => {
  const [light, heavy] = await pair('weight.test')
  stage.srv('_matrix-fed._tcp.weight.test', record(10, 10, light), record(10, 30, heavy))
  expect(await whichAnswers('weight.test', [light, heavy], { random: () => 0.24 })).toEqual([1, 0])
  expect(await whichAnswers('weight.test', [light, heavy], { random: () => 0.26 })).toEqual([0, 1])
})

test('tries the next target when the first refuses the connection', async () => {
  const homeserver = await stage.homeserver({ dns: ['dead.test'] })
  const dead = { port: await findClosedPort() }
  stage.srv('_matrix-fed._tcp.dead.test', record(10, 1, dead), record(20, 1, homeserver))
  expect(await whichAnswers('dead.test', [homeserver])).toEqual([1])
})

test('tries the next target when the first is silent', async () => {
  const homeserver = await stage.homeserver({ dns: ['silent.test'] })
  const silent = stage.keep(await startSilentListener())
  stage.srv('_matrix-fed._tcp.silent.test', record(10, 1, silent), record(20, 1, homeserver))
  expect(await whichAnswers('silent.test', [homeserver], { attemptMs: 100 })).toEqual([1])
  expect(silent.connections()).toBe(1)
})

test('tries the next target when the first has no address', async () => {
  const homeserver = await stage.homeserver({ dns: ['lost.test'] })
  const lost = { priority: 10, weight: 1, port: homeserver.port, target: 'nowhere.test' }
  stage.srv('_matrix-fed._tcp.lost.test', lost, record(20, 1, homeserver))
  expect(await whichAnswers('lost.test', [homeserver])).toEqual([1])
})

test('prefers _matrix-fed to the deprecated _matrix', async () => {
  const [current, deprecated] = await pair('both.test')
  stage.srv('_matrix-fed._tcp.both.test', record(20, 1, current))
  stage.srv('_matrix._tcp.both.test', record(10, 1, deprecated))
  expect(await whichAnswers('both.test', [current, deprecated])).toEqual([1, 0])
})

test('ignores a target of "."', async () => {
  const homeserver = await stage.homeserver({ dns: ['dot.test'] })
  stage.srv('_matrix-fed._tcp.dot.test', { priority: 0, weight: 0, port: 0, target: '.' })
  stage.srv('_matrix._tcp.dot.test', record(10, 1, homeserver))
  expect(await whichAnswers('dot.test', [homeserver])).toEqual([1])
})

const NO_DNS_NAMES = ['::1%a.b', '::1', '127.0.0.1', '0x7f.1', 'a b.test', '*.hs.test']

test.each(NO_DNS_NAMES)('skips the target %p, and notes it', async (target) => {
  const name = `odd-${NO_DNS_NAMES.indexOf(target)}.test`
  const homeserver = await stage.homeserver({ dns: [name] })
  const { port } = homeserver
  const closed = { port: await findClosedPort() }
  stage.srv(
    `_matrix-fed._tcp.${name}`,
    { priority: 1, weight: 1, port, target },
    record(2, 1, closed),
  )
  const service = await stage.service({ tuning: { wellKnownPort } })
  expect(await service.ask(name)).toMatchObject({
    status: 401,
    step: 'connect',
    cause:
      `hs.test at 127.0.0.1 port ${closed.port}: connection refused; ` +
      `well-known: ${name}: has no address; ` +
      `SRV _matrix-fed._tcp.${name}: a target that is no DNS name`,
  })
  expect(homeserver.connections()).toBe(0)
})

test('accepts a target with an underscore', async () => {
  stage.point('matrix_1.test', '127.0.0.1')
  const homeserver = await stage.homeserver({ dns: ['underscore.test'] })
  const target = { ...record(1, 1, homeserver), target: 'matrix_1.test' }
  stage.srv('_matrix-fed._tcp.underscore.test', target)
  expect(await whichAnswers('underscore.test', [homeserver])).toEqual([1])
})

test('continues without SRV records when their look-up fails', async () => {
  const homeserver = await stage.homeserver({ dns: ['unanswered.test'] })
  stage.point('unanswered.test', '127.0.0.1')
  stage.dns.set('_matrix-fed._tcp.unanswered.test', 'SRV', { rcode: 'SERVFAIL' })
  stage.dns.set('_matrix._tcp.unanswered.test', 'SRV', 'silence')
  const service = await stage.service({
    tuning: { wellKnownPort, federationPort: homeserver.port, dnsTimeoutMs: 1_000 },
  })
  const token = homeserver.issueOpenIdToken('@alice:unanswered.test')
  expect(await service.ask('unanswered.test', token)).toMatchObject({ status: 200 })
})

test('lists every failed target with its cause', async () => {
  const first = await findClosedPort()
  const second = await findClosedPort()
  stage.srv(
    '_matrix-fed._tcp.hopeless.test',
    record(10, 1, { port: first }),
    record(20, 1, { port: second }),
  )
  const service = await stage.service({ tuning: { wellKnownPort } })
  expect(await service.ask('hopeless.test')).toEqual({
    status: 401,
    identity: undefined,
    step: 'connect',
    cause:
      `hs.test at 127.0.0.1 port ${first}: connection refused; ` +
      `hs.test at 127.0.0.1 port ${second}: connection refused; ` +
      'well-known: hopeless.test: has no address',
    code: 'federation.refused',
  })
})
