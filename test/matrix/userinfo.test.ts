import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
  stage.point('hs.test', '127.0.0.1')
  stage.point('other.test', '127.0.0.1')
})
afterEach(() => stage.expectNoTokenLogged())
afterAll(() => stage.close())

const USERINFO = '/_matrix/federation/v1/openid/userinfo'

/** Result of verifying a token when the homeserver gives this answer. */
async function outcomeOf(answer: (serverName: string) => Answer, exchangeTimeoutMs = 1_000) {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  const { port } = homeserver
  const serverName = `hs.test:${port}`
  homeserver.respond(USERINFO, answer(serverName))
  const service = await stage.service({ tuning: { exchangeTimeoutMs } })
  return { ...(await service.ask(serverName, 'secret/+ &?#%é')), port }
}

const NO_RIGHT = { errcode: 'M_FORBIDDEN' }
const NO_ENDPOINT = reply(404, { errcode: 'M_UNRECOGNIZED' })
const sub = (value: unknown) => () => reply(200, { sub: value })
/** Who gave an answer, where `{}` is the port. */
const PEER = `for ${USERINFO} from hs.test at 127.0.0.1 port {}`

/** Cause, where `{}` is the port of the homeserver, and code. */
type Why = readonly [cause: string, code: string]

const OTHER_SERVER: Why = ['"sub" is not a user of the server asked', 'federation.foreign-user']
const NO_SUB: Why = [`status 200, no "sub", ${PEER}`, 'federation.unexpected-answer']
const NO_JSON: Why = [`status 200, no JSON, ${PEER}`, 'federation.not-matrix']

function status(told: string, code: string): Why {
  return [`status ${told}, ${PEER}`, `federation.${code}`]
}

const refused: readonly [string, (serverName: string) => Answer, Why][] = [
  ['a user of another server', sub('@alice:other.test'), OTHER_SERVER],
  ['a user of the same host without the port', sub('@alice:hs.test'), OTHER_SERVER],
  ['a server name that begins with its own', (name) => sub(`@alice:${name}0`)(), OTHER_SERVER],
  ['a server name that ends in its own', (name) => sub(`@alice:x:${name}`)(), OTHER_SERVER],
  [
    'its own server name in capitals',
    (name) => sub(`@alice:${name.toUpperCase()}`)(),
    OTHER_SERVER,
  ],
  ['its own server name and a space', (name) => sub(`@alice:${name} `)(), OTHER_SERVER],
  ['a user ID without @', (name) => sub(`alice:${name}`)(), OTHER_SERVER],
  ['a user ID without a server name', sub('@alice'), OTHER_SERVER],
  ['a user ID over 255 bytes', (name) => sub(`@${'é'.repeat(125)}:${name}`)(), OTHER_SERVER],
  ['half a surrogate pair', (name) => reply(200, `{"sub":"@\\ud83d:${name}"}`), OTHER_SERVER],
  [
    'halves of a pair apart',
    (name) => reply(200, `{"sub":"@\\ud83d\\n\\ude00:${name}"}`),
    OTHER_SERVER,
  ],
  ['a user ID with NUL', (name) => sub(`@al\0ice:${name}`)(), OTHER_SERVER],
  ['a number for a user ID', sub(1), NO_SUB],
  ['a list of user IDs', (name) => sub([`@alice:${name}`])(), NO_SUB],
  ['null for a user ID', sub(null), NO_SUB],
  ['an empty user ID', sub(''), NO_SUB],
  ['no user ID', () => reply(200, {}), NO_SUB],
  ['null', () => reply(200, 'null'), NO_SUB],
  ['a string', () => reply(200, '"sub"'), NO_SUB],
  ['nothing', () => reply(200), NO_JSON],
  ['broken JSON', () => ({ kind: 'invalid-json' }), NO_JSON],
  [
    'that it does not know the token',
    () => reply(401, { errcode: 'M_UNKNOWN_TOKEN' }),
    status('401, M_UNKNOWN_TOKEN', 'token-refused'),
  ],
  [
    'that the token is missing',
    () => reply(401, { errcode: 'M_MISSING_TOKEN' }),
    status('401, M_MISSING_TOKEN', 'unexpected-answer'),
  ],
  ['a page that asks for a password', () => reply(401, '<html>'), status('401', 'not-matrix')],
  ['a page', () => reply(403, '<html>'), status('403', 'not-matrix')],
  ['another error', () => reply(403, NO_RIGHT), status('403, M_FORBIDDEN', 'unexpected-answer')],
  ['that it has no such endpoint', () => NO_ENDPOINT, status('404, M_UNRECOGNIZED', 'no-openid')],
  ['that there is too much to do', () => reply(429), status('429', 'unavailable')],
  [
    'an endless error code',
    () => reply(400, { errcode: 'M'.repeat(61) }),
    status('400', 'not-matrix'),
  ],
  [
    'a user with status 404',
    (name) => reply(404, { sub: `@alice:${name}` }),
    status('404', 'not-matrix'),
  ],
  [
    'a user with status 500',
    (name) => reply(500, { sub: `@alice:${name}` }),
    status('500', 'unavailable'),
  ],
  [
    'a user with status 203',
    (name) => reply(203, { sub: `@alice:${name}` }),
    status('203', 'not-matrix'),
  ],
]

for (const [what, answer, [cause, code]] of refused) {
  test(`refuses a token when the homeserver answers ${what}`, async () => {
    const { port, ...outcome } = await outcomeOf(answer)
    expect(outcome).toEqual({
      status: 401,
      identity: undefined,
      step: 'userinfo',
      cause: cause.replace('{}', String(port)),
      code,
    })
  })
}

const TOO_LARGE = /^answer is larger than 64 KiB$/

const unusable: readonly [string, Answer, RegExp, code: string][] = [
  [
    'an answer over 64 KiB',
    { kind: 'oversized', bytes: 65_536 },
    TOO_LARGE,
    'federation.answer-too-large',
  ],
  ['an answer without end', { kind: 'endless' }, TOO_LARGE, 'federation.answer-too-large'],
  [
    'headers without end',
    { kind: 'slow-headers', everyMs: 10 },
    /^timeout after 0\.5 s$/,
    'federation.timeout',
  ],
  [
    'a body that drips',
    { kind: 'slow-body', everyMs: 100, body: { sub: '@alice:hs.test' } },
    /^timeout after 0\.5 s$/,
    'federation.timeout',
  ],
  ['silence', { kind: 'hang' }, /^timeout after 0\.5 s$/, 'federation.timeout'],
  [
    'a closed connection',
    { kind: 'close' },
    /^hs\.test at 127\.0\.0\.1 port \d+: connection closed by the server$/,
    'federation.closed',
  ],
  [
    'half an answer',
    { kind: 'truncated' },
    /^hs\.test at 127\.0\.0\.1 port \d+: connection /,
    'federation.closed',
  ],
]

for (const [what, answer, cause, code] of unusable) {
  test(`refuses a token when the homeserver gives ${what}`, async () => {
    // An answer in time may take longer on a busy machine.
    const outcome = await outcomeOf(() => answer, code === 'federation.timeout' ? 500 : 1_000)
    expect(outcome).toMatchObject({ status: 401, step: 'connect', code })
    expect(outcome.cause).toMatch(cause)
  })
}

test('does not follow a redirect of the API', async () => {
  const other = await stage.homeserver({ dns: ['other.test'] })
  const { port, ...outcome } = await outcomeOf((serverName) => {
    other.respond(USERINFO, reply(200, { sub: `@alice:${serverName}` }))
    const location = `https://other.test:${other.port}${USERINFO}`
    return { kind: 'redirect', status: 307, location }
  })
  expect(outcome).toEqual({
    status: 401,
    identity: undefined,
    step: 'userinfo',
    cause: `status 307, ${PEER.replace('{}', String(port))}`,
    code: 'federation.not-matrix',
  })
  expect(other.connections()).toBe(0)
})

test('neither requests nor decompresses compressed answers', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  const serverName = `hs.test:${homeserver.port}`
  const bomb = JSON.stringify({ padding: 'x'.repeat(30_000_000), sub: `@alice:${serverName}` })
  const body = Bun.gzipSync(bomb)
  expect(body.byteLength).toBeLessThan(65_536)
  homeserver.respond(USERINFO, reply(200, body, { 'content-encoding': 'gzip' }))
  const service = await stage.service()
  expect(await service.ask(serverName)).toMatchObject({
    status: 401,
    cause: `status 200, no JSON, ${PEER.replace('{}', String(homeserver.port))}`,
    code: 'federation.not-matrix',
  })
  expect(homeserver.requests.map(({ headers }) => headers.get('accept-encoding'))).toEqual([
    'identity',
  ])
})

test('does not log a token that the homeserver repeats for an error code', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  homeserver.respond(USERINFO, ({ query }) => {
    return reply(403, { errcode: query.get('access_token'), error: query.get('access_token') })
  })
  const service = await stage.service()
  const { cause } = await service.ask(`hs.test:${homeserver.port}`, 'syt_YWxpY2U_zzz')
  expect(cause).toBe(`status 403, ${PEER.replace('{}', String(homeserver.port))}`)
  stage.expectNoTokenLogged()
})

test('presents the token percent-encoded, as a GET request', async () => {
  const homeserver = await stage.homeserver({ dns: ['hs.test'] })
  const serverName = `hs.test:${homeserver.port}`
  homeserver.respond(USERINFO, ({ method, query }) => {
    const known = method === 'GET' && query.get('access_token') === 'secret/+ &x=1?#%41é'
    return known ? reply(200, { sub: `@alice:${serverName}` }) : reply(401)
  })
  const service = await stage.service()
  expect(await service.ask(serverName, 'secret/+ &x=1?#%41é')).toEqual({
    status: 200,
    identity: `@alice:${serverName}:DEVICE`,
    step: undefined,
    cause: undefined,
    code: undefined,
  })
})
