import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../src/delegation/store/sqlite-database.ts'
import { OTHER_CREDENTIALS } from '../support/credentials.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { reply } from '../support/misbehaviour.ts'
import type { WireRequest } from '../support/wire-server.ts'
import { type DoctorStage, type Examination, SERVER_NAME, setDoctorStage } from './stage.ts'

let stage: DoctorStage
beforeAll(async () => {
  stage = await setDoctorStage()
})
afterAll(() => stage.close())

const ANY_ORIGIN = { 'access-control-allow-origin': '*' }

/** The beginning of an SQLite file with this version of its schema. */
function header(userVersion: number): Buffer {
  const bytes = Buffer.alloc(100)
  bytes.write('SQLite format 3\0', 'latin1')
  bytes.writeUInt32BE(userVersion, 60)
  return bytes
}

const USER = `@alice:${SERVER_NAME}`
const USERINFO = '/_matrix/federation/v1/openid/userinfo'
const UNKNOWN_TOKEN = reply(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'Unknown token' })

/** What the service answers to anybody's token, and to none. */
function knowsNobody({ body }: WireRequest) {
  return body.length > 2
    ? reply(401, { errcode: 'M_UNAUTHORIZED', error: 'no' })
    : reply(400, { errcode: 'M_BAD_JSON', error: 'no room_id' })
}

function foundBy({ findings }: Examination, step: string): string {
  return findings
    .filter((finding) => finding.step === step)
    .map(({ found }) => found)
    .join('; ')
}

test('says whose token a real one is', async () => {
  const examination = await stage.examine({
    args: [SERVER_NAME, '--token', 'real-token'],
    homeserver: ({ respond }) => respond(USERINFO, UNKNOWN_TOKEN, reply(200, { sub: USER })),
  })
  expect(examination.codes).toEqual([])
  expect(foundBy(examination, 'openid')).toBe(`the token is of ${USER}`)
  expect(examination.text).not.toContain('real-token')
})

test('asks the service that clients find with a real token and user', async () => {
  const respondWith = (url: string) => {
    return stage.examine({
      args: ['--user', USER, '--token', 'real-token'],
      env: { LIVEKIT_URL: 'wss://sfu.example.test', LIVEKIT_INTERNAL_URL: '' },
      homeserver({ respond }) {
        respond(USERINFO, UNKNOWN_TOKEN, reply(200, { sub: USER }))
        respond('/jwt/get_token', reply(200, { url, jwt: 'a.b.c' }))
      },
    })
  }
  const same = await respondWith('wss://sfu.example.test')
  expect(foundBy(same, 'transports')).toEndWith('/jwt, which clients find, hands out LIVEKIT_URL')
  const other = await respondWith('wss://other.example')
  expect(other.codes).toContain('transports.elsewhere')
  expect(foundBy(other, 'transports')).toBe(
    'it hands out another SFU than LIVEKIT_URL: wss://other.example',
  )
  expect(other.text).not.toContain('a.b.c')
  expect(other.text).not.toContain('real-token')
})

test('reads a token from standard input, where other users do not see it', async () => {
  const examination = await stage.examine({
    args: [SERVER_NAME, '--token', '-'],
    input: 'real-token\n',
    homeserver: ({ respond }) => {
      respond(USERINFO, UNKNOWN_TOKEN, ({ query }) => {
        return query.get('access_token') === 'real-token'
          ? reply(200, { sub: USER })
          : UNKNOWN_TOKEN
      })
    },
  })
  expect(examination.codes).toEqual([])
  expect(foundBy(examination, 'openid')).toBe(`the token is of ${USER}`)
  expect(examination.text).not.toContain('real-token')
})

test('does not take a refused token for a fault of the homeserver alone', async () => {
  const { codes, exitCode } = await stage.examine({ args: [SERVER_NAME, '--token', 'expired'] })
  expect(codes).toEqual(['federation.token-refused'])
  expect(exitCode).toBe(1)
})

test('finds a token of another user than the one given', async () => {
  const { codes } = await stage.examine({
    args: ['--user', `@bob:${SERVER_NAME}`, '--token', 'real-token'],
    homeserver({ respond }) {
      respond(USERINFO, UNKNOWN_TOKEN, reply(200, { sub: USER }))
      respond('/jwt/get_token', knowsNobody)
    },
  })
  expect(codes).toEqual(['federation.other-user'])
})

test('says once that a token is refused, and still asks the service that clients find', async () => {
  const examination = await stage.examine({
    args: ['--user', USER, '--token', 'expired'],
    homeserver: ({ respond }) => respond('/jwt/get_token', knowsNobody),
  })
  expect(examination.codes).toEqual(['federation.token-refused'])
  expect(foundBy(examination, 'transports')).toEndWith('/jwt, which clients find, answers')
})

test.each([
  ['accepts any token', 'federation.accepts-any-token', USERINFO, reply(200, { sub: USER })],
  [
    'lets no browser read where its client API is',
    'client-api.no-cors',
    '/.well-known/matrix/client',
    reply(200, {
      'm.homeserver': { base_url: 'https://example.test:PORT' },
      'org.matrix.msc4143.rtc_foci': [
        { type: 'livekit', livekit_service_url: 'https://example.test:PORT/jwt' },
      ],
    }),
  ],
  [
    'has no delayed events',
    'delayed-events.unsupported',
    '/_matrix/client/versions',
    reply(200, { versions: ['v1.11'] }),
  ],
  [
    'limits restarts of delayed events',
    'delayed-events.rate-limited',
    '/_matrix/client/unstable/org.matrix.msc4140/*',
    reply(429, { errcode: 'M_LIMIT_EXCEEDED', error: 'Too many', retry_after_ms: 1_000 }),
  ],
  [
    'names a service that is something else',
    'transports.elsewhere',
    '/jwt/get_token',
    reply(404, 'not found'),
  ],
] as const)('finds a homeserver that %s, as %s alone', async (_, code, path, answer) => {
  const { codes } = await stage.examine({
    homeserver({ respond, port }) {
      const text = JSON.stringify(answer.body ?? '').replaceAll('PORT', String(port))
      respond(path, { ...answer, body: JSON.parse(text) })
    },
  })
  expect(codes).toEqual([code])
})

test('warns of a homeserver that announces no SFU', async () => {
  const { codes, exitCode } = await stage.examine({
    homeserver({ restore, setWellKnownClient, port }) {
      restore('/.well-known/matrix/client')
      const cors = { 'access-control-allow-origin': '*' }
      setWellKnownClient(`https://${SERVER_NAME}:${port}`, cors)
    },
  })
  expect(codes).toEqual(['transports.none'])
  expect(exitCode).toBe(0)
})

test('warns of a certificate that expires within a fortnight, and says whose it is', async () => {
  const notAfter = new Date(Date.now() + 5 * 86_400_000)
  const examination = await stage.examine({
    certificate: { dns: [SERVER_NAME, '*.example.test'], notAfter },
  })
  expect(examination.codes).toEqual(['federation.certificate-expires-soon'])
  const day = notAfter.toISOString().slice(0, 10)
  expect(foundBy(examination, 'connection')).toEndWith(
    `certificate for ${SERVER_NAME}, *.example.test by Test authority, valid until ${day}`,
  )
})

test('shows the certificate that is for another name', async () => {
  const examination = await stage.examine({ certificate: { dns: ['other.test'] } })
  expect(foundBy(examination, 'connection')).toContain('it shows a certificate for other.test by')
})

test('says where SRV records and addresses lead to', async () => {
  const examination = await stage.examine({
    isDelegated: false,
    homeserver({ port: homeserverPort }) {
      stage.dns.set(`_matrix-fed._tcp.${SERVER_NAME}`, 'SRV', {
        records: [{ priority: 0, weight: 0, port: homeserverPort, target: 'srv.example.test' }],
        ttlSeconds: 0,
      })
      stage.dns.set('srv.example.test', 'A', { records: ['127.0.0.1'], ttlSeconds: 0 })
    },
  })
  stage.dns.remove(`_matrix-fed._tcp.${SERVER_NAME}`)
  expect(examination.codes).toEqual([])
  expect(foundBy(examination, 'addresses')).toMatch(
    /^by SRV record srv\.example\.test port \d+: 127\.0\.0\.1$/,
  )
})

test('uses an override instead of looking for the homeserver', async () => {
  const examination = await stage.examine({
    env: { LIVEKIT_FEDERATION_URL_OVERRIDES: `${SERVER_NAME}=http://127.0.0.1:1` },
  })
  expect(examination.codes).toEqual(['federation.refused'])
  expect(foundBy(examination, 'well-known')).toBe(
    'LIVEKIT_FEDERATION_URL_OVERRIDES leads to http://127.0.0.1:1',
  )
  const problem = examination.findings.find(({ code }) => code !== undefined)
  expect(problem?.found).toBe('http://127.0.0.1:1: connection refused')
  expect(problem?.remedy).toContain('LIVEKIT_FEDERATION_URL_OVERRIDES if that names it')
})

test('looks at no homeserver when none is named', async () => {
  const { findings, codes } = await stage.examine({ args: [] })
  expect(codes).toEqual([])
  expect(findings.map(({ step }) => step)).toEqual([
    'configuration',
    'sfu',
    'signalling',
    'federation',
    'state',
    'service',
    'webhooks',
  ])
})

test('reports every mistake of the configuration, and looks no further', async () => {
  const { findings, codes, exitCode } = await stage.examine({
    env: { LIVEKIT_URL: '', LIVEKIT_JWT_BIND: 'nonsense' },
  })
  expect(codes).toEqual(['configuration.bad-value', 'configuration.bad-value'])
  expect(findings.filter(({ level }) => level === 'skipped').map(({ step }) => step)).toEqual([
    'sfu',
    'state',
    'service',
  ])
  expect(findings[0]?.remedy).toBe(
    '"jwt-service --help LIVEKIT_URL" explains the setting, and gives an example.',
  )
  expect(exitCode).toBe(1)
})

test.each([
  ['something else', 'hello', 'store.file-no-database'],
  ['state of a newer version', header(99), 'store.file-newer-version'],
])('finds a state file that holds %s', async (_, content, code) => {
  const folder = await mkdtemp(join(tmpdir(), 'test-doctor-'))
  const file = join(folder, 'state.sqlite')
  await writeFile(file, content)
  const { codes } = await stage.examine({ args: [], env: { LIVEKIT_STATE_FILE: file } })
  await rm(folder, { recursive: true })
  expect(codes).toEqual([code])
})

test('takes a state file of this version', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'test-doctor-'))
  const file = join(folder, 'state.sqlite')
  openDatabase(file).close()
  const { codes } = await stage.examine({ args: [], env: { LIVEKIT_STATE_FILE: file } })
  await rm(folder, { recursive: true })
  expect(codes).toEqual([])
})

test('says once what the running service says too', async () => {
  const closed = `ws://127.0.0.1:${await findClosedPort()}`
  const { codes, findings } = await stage.examine({
    args: [],
    env: { LIVEKIT_URL: closed },
    service: { LIVEKIT_URL: closed },
    beforehand: (service) => service.app.checkSfu(),
  })
  expect(codes).toEqual(['sfu.refused'])
  expect(findings.find(({ step }) => step === 'service')).toMatchObject({ level: 'skipped' })
})

test('does not take another program for the running service', async () => {
  using other = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: () => new Response('# nothing'),
  })
  const { codes, findings } = await stage.examine({
    args: [],
    env: { LIVEKIT_METRICS_BIND: `127.0.0.1:${other.port}` },
  })
  expect(codes).toEqual(['service.another-program'])
  expect(findings.find(({ step }) => step === 'webhooks')).toMatchObject({ level: 'skipped' })
})

test('warns of a LIVEKIT_URL that leads elsewhere from here', async () => {
  const { codes, exitCode } = await stage.examine({
    args: [],
    env: { LIVEKIT_URL: `ws://127.0.0.1:${await findClosedPort()}` },
    isInternal: true,
  })
  expect(codes).toEqual(['sfu.public-url-unclear'])
  expect(exitCode).toBe(0)
})

test.each(['ws://sfu.test:7880', 'http://10.0.0.1'])('warns of %s for clients', async (url) => {
  const { codes, findings } = await stage.examine({
    args: [],
    env: { LIVEKIT_URL: url },
    isInternal: true,
  })
  expect(codes[0]).toBe('sfu.url-without-tls')
  expect(findings[0]).toMatchObject({ step: 'configuration', level: 'ok' })
})

test('warns of a service that clients find and this machine does not', async () => {
  const { codes } = await stage.examine({
    homeserver({ respond, port }) {
      const foci = [{ type: 'livekit', livekit_service_url: 'https://nowhere.test/jwt' }]
      const document = {
        'm.homeserver': { base_url: `https://${SERVER_NAME}:${port}` },
        'org.matrix.msc4143.rtc_foci': foci,
      }
      respond('/.well-known/matrix/client', reply(200, document, ANY_ORIGIN))
    },
  })
  expect(codes).toEqual(['transports.unreachable'])
})

test('does not take every answer to a restart for support of delayed events', async () => {
  const examination = await stage.examine({
    homeserver: ({ respond }) => {
      respond('/_matrix/client/unstable/org.matrix.msc4140/*', reply(404, 'not found'))
    },
  })
  expect(examination.codes).toEqual(['delayed-events.refused'])
  expect(foundBy(examination, 'delayed-events')).toMatch(
    /^status 404, for \/_matrix\/client\/unstable\/org\.matrix\.msc4140\/delayed_events\/doctor-[\w-]+\/restart from /,
  )
})

test('tells a well-known document that fails from one that is something else', async () => {
  const { codes } = await stage.examine({
    federationPort: await findClosedPort(),
    homeserver({ respond, restore }) {
      respond('/.well-known/matrix/*', reply(500, 'down'))
      restore('/.well-known/matrix/client')
    },
  })
  expect(codes).toEqual(['discovery.well-known-failed'])
})

test('takes no other short name for a misspelt one', async () => {
  const { codes } = await stage.examine({
    env: {
      LIVEKIT_FULL_ACCESS_HOMESERVERS: 'matrix.test',
      LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.1',
    },
  })
  expect(codes).toEqual([])
})

test('shows no secret, whatever goes wrong', async () => {
  const secret = OTHER_CREDENTIALS.apiSecret
  const { text } = await stage.examine({
    args: [SERVER_NAME, '--token', 'openid-secret'],
    env: { LIVEKIT_SECRET: secret, LIVEKIT_REDIS_URL: 'redis://:redis-secret@127.0.0.1:1' },
  })
  for (const each of [secret, 'openid-secret', 'redis-secret', 'eyJ']) {
    expect(text).not.toContain(each)
  }
})
