import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { CREDENTIALS } from '../support/credentials.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { type Service, type Stage, setStage } from '../support/federation-stage.ts'
import { type Homeserver, startHomeserver } from '../support/homeserver.ts'
import { createMemberApi, type MemberApi } from '../support/member-api.ts'
import {
  answerOf,
  CLIENT_LEAVE,
  CLIENT_TOKEN,
  MATRIX_ROOM,
  post,
  SFU_URL,
} from '../support/member-calls.ts'
import { AS_TOKEN, HS_TOKEN } from '../support/member-stage.ts'
import { type Sfu, startSfu } from '../support/sfu.ts'

const USER = '@alice:hs.test'
const HEADERS = { Authorization: `Bearer ${HS_TOKEN}`, 'X-Matrix-User-Identifier': USER }
const PATH = '/.well-known/matrix/client'

let stage: Stage
let sfu: Sfu
/** The client API of `hs.test`, at `matrix.hs.test`. */
let homeserver: Homeserver
let api: MemberApi
/** The web server of `hs.test`. */
let web: Homeserver
/** Whoever it is that gets in between. */
let trap: Homeserver

beforeAll(async () => {
  stage = await setStage()
  for (const host of ['hs.test', 'www.test', 'matrix.hs.test', 'trap.test']) {
    // Special, and not permitted to strangers.
    stage.point(host, host === 'matrix.hs.test' ? '127.0.0.9' : '127.0.0.1')
  }
  sfu = stage.keep(await startSfu(CREDENTIALS))
  api = createMemberApi('hs.test', AS_TOKEN)
  const certificate = await stage.authority.issue({ dns: ['matrix.hs.test'] })
  homeserver = stage.keep(
    await startHomeserver({
      serverName: 'hs.test',
      memberApi: api,
      certificate,
      hostname: '127.0.0.9',
    }),
  )
  web = await stage.homeserver({ dns: ['hs.test', 'www.test'] })
  trap = await stage.homeserver({ dns: ['trap.test', 'matrix.hs.test'] })
})
beforeEach(() => {
  for (const server of [homeserver, web, trap]) {
    server.restore()
    server.requests.length = 0
  }
  api.join(MATRIX_ROOM, USER)
  api.scheduled.set('syd_1', { userId: USER, roomId: MATRIX_ROOM, delayMs: 60_000 })
  web.setWellKnownClient(`https://matrix.hs.test:${homeserver.port}/`)
})
afterAll(() => stage.close())

function serve(more: Readonly<Record<string, string>> = {}): Promise<Service> {
  return stage.service({
    env: {
      LIVEKIT_URL: SFU_URL,
      LIVEKIT_INTERNAL_URL: sfu.wsUrl,
      LIVEKIT_AS_TOKEN: AS_TOKEN,
      LIVEKIT_HS_TOKEN: HS_TOKEN,
      LIVEKIT_HS_SERVER_NAME: 'hs.test',
      ...more,
    },
    tuning: { wellKnownPort: web.port, wellKnownTimeoutMs: 1_000, clientApiTimeoutMs: 2_000 },
  })
}

async function statuses(service: Service): Promise<readonly number[]> {
  const token = await answerOf(post(service, CLIENT_TOKEN.path, CLIENT_TOKEN.body, HEADERS))
  const leave = await answerOf(post(service, CLIENT_LEAVE.path, CLIENT_LEAVE.body, HEADERS))
  return [token.status, leave.status]
}

function authorizations({ requests }: Homeserver): readonly unknown[] {
  return requests.map(({ path, headers }) => [
    path.slice(path.lastIndexOf('/')),
    headers.get('authorization'),
  ])
}

test('finds our homeserver by well-known, at an address denied to strangers, without a token', async () => {
  expect(await statuses(await serve())).toEqual([200, 200])
  expect(authorizations(web)).toEqual([['/client', null]])
  expect(authorizations(homeserver)).toEqual([
    ['/versions', null],
    ['/is_joined', `Bearer ${AS_TOKEN}`],
    ['/versions', null],
    ['/syd_1', `Bearer ${AS_TOKEN}`],
  ])
})

test('takes no token along on a redirect of well-known', async () => {
  web.respond(PATH, { kind: 'redirect', location: `https://www.test:${web.port}/elsewhere` })
  const base_url = `https://matrix.hs.test:${homeserver.port}`
  web.respond('/elsewhere', { kind: 'reply', body: { 'm.homeserver': { base_url } } })
  expect(await statuses(await serve())).toEqual([200, 200])
  expect(authorizations(web)).toEqual([
    ['/client', null],
    ['/elsewhere', null],
  ])
})

test.each([302, 307])(
  'does not follow a redirect of the client API with status %d',
  async (status) => {
    const redirect = {
      kind: 'redirect',
      status,
      location: `https://trap.test:${trap.port}/`,
    } as const
    homeserver.respond('/_matrix/client/unstable/*', redirect)
    expect(await statuses(await serve())).toEqual([502, 503])
    expect(trap.connections()).toBe(0)
  },
)

test('shows no token to whoever lacks the certificate of the homeserver', async () => {
  const impostor = await stage.homeserver({ dns: ['trap.test'] })
  web.setWellKnownClient(`https://matrix.hs.test:${impostor.port}`)
  stage.point('matrix.hs.test', '127.0.0.1')
  expect(await statuses(await serve())).toEqual([502, 503])
  stage.point('matrix.hs.test', '127.0.0.9')
  expect(impostor.requests).toEqual([])
})

test('does not go by the override of another server', async () => {
  const override = `trap.test=https://trap.test:${trap.port}`
  expect(await statuses(await serve({ LIVEKIT_CS_API_URL_OVERRIDES: override }))).toEqual([
    200, 200,
  ])
  expect(trap.connections()).toBe(0)
})

describe('answers 502 for tokens and 503 for delegation when well-known', () => {
  test.each([
    ['is missing', { kind: 'reply', status: 404 }],
    ['fails', { kind: 'reply', status: 500 }],
    ['is not JSON', { kind: 'invalid-json' }],
    ['names no https URL', { kind: 'reply', body: { 'm.homeserver': { base_url: 'http://a' } } }],
    ['does not answer', { kind: 'hang' }],
  ] as const)('%s', async (_, answer) => {
    web.respond(PATH, answer)
    const before = sfu.requests.length
    expect(await statuses(await serve())).toEqual([502, 503])
    expect(sfu.requests.slice(before).filter(({ method }) => method === 'CreateRoom')).toEqual([])
  })

  test('names a port that nobody listens at', async () => {
    web.setWellKnownClient(`https://trap.test:${await findClosedPort()}`)
    expect(await statuses(await serve())).toEqual([502, 503])
  })
})
