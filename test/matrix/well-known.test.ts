import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { findClosedPort } from '../support/dead-end.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  for (const host of ['origin.test', 'hs.test', 'srv.test']) stage.point(host, '127.0.0.1')
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const PATH = '/.well-known/matrix/server'

const delegating = (name: unknown) => reply(200, { 'm.server': name })
const NO_NAME = '"m.server" is not a server name'

const unusable: readonly [string, Answer, string][] = [
  ['a 404', reply(404, { 'm.server': 'hs.test:1' }), 'status 404'],
  ['a 500', reply(500), 'status 500'],
  ['nothing', reply(200), 'answer is not JSON'],
  ['broken JSON', { kind: 'invalid-json' }, 'answer is not JSON'],
  ['no delegation', reply(200, {}), NO_NAME],
  ['null', reply(200, 'null'), NO_NAME],
  ['a number for a name', delegating(1), NO_NAME],
  ['an empty name', delegating(''), NO_NAME],
  ['a URL for a name', delegating('https://hs.test'), NO_NAME],
  ['a name with a path', delegating('hs.test/x'), NO_NAME],
  ['a name with a user', delegating('x@hs.test'), NO_NAME],
  ['a port of 0', delegating('hs.test:0'), NO_NAME],
  ['a port of 65536', delegating('hs.test:65536'), NO_NAME],
  ['IPv6 without brackets', delegating('::1'), NO_NAME],
  ['an address in short form', delegating('127.1'), NO_NAME],
  ['over 64 KiB', { kind: 'oversized', bytes: 65_536 }, 'answer is larger than 64 KiB'],
  ['an answer without end', { kind: 'endless' }, 'answer is larger than 64 KiB'],
  ['headers without end', { kind: 'slow-headers', everyMs: 10 }, 'timeout after 0.3 s'],
  [
    'a dripping body',
    { kind: 'slow-body', everyMs: 100, body: 'x'.repeat(10) },
    'timeout after 0.3 s',
  ],
  ['silence', { kind: 'hang' }, 'timeout after 0.3 s'],
  [
    'a compressed answer',
    reply(200, Bun.gzipSync('{"m.server":"hs.test:1"}'), { 'content-encoding': 'gzip' }),
    'answer is not JSON',
  ],
]

for (const [what, answer, reason] of unusable) {
  test(`treats ${what} at well-known as none, and continues with SRV`, async () => {
    const origin = await stage.homeserver({ dns: ['origin.test'] })
    origin.respond(PATH, answer)
    const homeserver = await stage.homeserver({ dns: ['origin.test'] })
    const { port } = homeserver
    const record = { priority: 1, weight: 1, target: 'srv.test' }
    stage.srv('_matrix-fed._tcp.origin.test', { ...record, port })
    // An answer in time may take longer on a busy machine.
    const wellKnownTimeoutMs = reason.startsWith('timeout') ? 300 : 1_000
    const tuning = { wellKnownPort: origin.port, wellKnownTimeoutMs }
    const service = await stage.service({ tuning })
    const token = homeserver.issueOpenIdToken('@alice:origin.test')
    expect(await service.ask('origin.test', token)).toMatchObject({ status: 200 })
    expect(homeserver.requests.map(({ host }) => host)).toEqual(['origin.test'])

    const dead = await findClosedPort()
    stage.srv('_matrix-fed._tcp.origin.test', { ...record, port: dead })
    const other = await stage.service({ tuning })
    expect(await other.ask('origin.test')).toEqual({
      status: 401,
      identity: undefined,
      step: 'connect',
      cause: `srv.test at 127.0.0.1 port ${dead}: connection refused; well-known: ${reason}`,
      code: 'federation.refused',
    })
  })
}

test('continues with SRV when the connection closes in the middle of well-known', async () => {
  const homeserver = await stage.homeserver({ dns: ['origin.test'] })
  const { port } = homeserver
  homeserver.respond(PATH, { kind: 'close' }, { kind: 'truncated' })
  stage.srv('_matrix-fed._tcp.origin.test', { priority: 1, weight: 1, port, target: 'srv.test' })
  for (let round = 0; round < 2; round += 1) {
    const service = await stage.service({ tuning: { wellKnownPort: port } })
    const token = homeserver.issueOpenIdToken('@alice:origin.test')
    expect(await service.ask('origin.test', token)).toMatchObject({ status: 200 })
  }
})

test('reads well-known whatever its content type and other members', async () => {
  const homeserver = await stage.homeserver({ dns: ['origin.test', 'hs.test'] })
  const { port } = homeserver
  const body = { other: [1, { x: null }], 'm.server': `hs.test:${port}` }
  homeserver.respond(PATH, reply(200, body, { 'content-type': 'text/plain' }))
  const service = await stage.service({ tuning: { wellKnownPort: port } })
  const token = homeserver.issueOpenIdToken('@alice:origin.test')
  expect(await service.ask('origin.test', token)).toMatchObject({ status: 200 })
})
