import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { ParticipantInfo } from '@livekit/protocol'
import { createTokenSigner } from '../../src/livekit/access-token.ts'
import { createRoomService } from '../../src/livekit/room-service.ts'
import type { SfuCode } from '../../src/livekit/sfu-error.ts'
import { CREDENTIALS, OTHER_CREDENTIALS } from '../support/credentials.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { reply } from '../support/misbehaviour.ts'
import { type Sfu, startSfu, twirpError } from '../support/sfu.ts'
import { until } from '../support/until.ts'

let sfu: Sfu

const PATH = '/livekit/sfu/twirp/livekit.RoomService/GetParticipant'

function unknown(code: SfuCode, found: string) {
  return { kind: 'unknown', trouble: { code, found } } as const
}

/** Where the SFU was asked, which the operator compares with the settings. */
function place(): string {
  return sfu.url + PATH
}

beforeAll(async () => {
  sfu = await startSfu({ ...CREDENTIALS, pathPrefix: '/livekit/sfu' })
  sfu.addParticipant('room', '@alice:example.com:DEVICE')
})
afterEach(() => sfu.restore())
afterAll(() => sfu.close())

async function find(
  identity: string,
  { credentials = CREDENTIALS, sfuUrl = sfu.wsUrl, timeoutMs = 5_000 } = {},
  signal = new AbortController().signal,
) {
  const signer = createTokenSigner(credentials, Date.now)
  const rooms = createRoomService({ sfuUrl, signer, now: Date.now, timeoutMs })
  return rooms.findParticipant('room', identity, signal)
}

test('finds a participant, with the ID of the connection', async () => {
  expect(await find('@alice:example.com:DEVICE')).toEqual({
    kind: 'present',
    participantId: 'PA_1',
  })
})

test('asks with no more than the grant that is needed, path prefix kept', async () => {
  await find('@alice:example.com:DEVICE')
  const request = sfu.requests.at(-1)
  expect(request?.method).toBe('GetParticipant')
  expect(request?.message).toMatchObject({ room: 'room', identity: '@alice:example.com:DEVICE' })
  expect(request?.grants?.video).toEqual({ roomAdmin: true, room: 'room' })
  expect(request?.grants?.lifetimeSeconds).toBe(600)
  expect(sfu.httpRequests.at(-1)?.path).toBe(
    '/livekit/sfu/twirp/livekit.RoomService/GetParticipant',
  )
})

test('tells that a participant is absent', async () => {
  expect(await find('@bob:example.com:DEVICE')).toEqual({ kind: 'absent' })
})

/** What was found, where `{}` is {@link place}. */
type Found = readonly [SfuCode, string]

function notLiveKit(found: string): Found {
  return ['sfu.wrong-path', `what answers at {} is not LiveKit's API: ${found}`]
}

const NO_MESSAGE = notLiveKit('status 200 without a protobuf message')
const NO_ERROR: Found = ['sfu.unavailable', 'status 502 at {}, and no error of LiveKit']
const HTML = { 'content-type': 'text/html' }
const NOT_ABOUT: Found = ['sfu.bad-answer', 'the answer at {} is not about what was asked for']
const PROTOBUF = { 'content-type': 'application/protobuf; charset=x' }

test.each([
  ['not_found with another status', twirpError(200, 'not_found', ''), NO_MESSAGE],
  ['an empty 200', reply(200, ''), NO_MESSAGE],
  ['a page', reply(200, '<html>', HTML), NO_MESSAGE],
  ['an empty message', reply(200, '', PROTOBUF), NOT_ABOUT],
  [
    'a message about somebody else',
    reply(200, new ParticipantInfo({ sid: 'PA_1', identity: '@bob' }).toBinary(), PROTOBUF),
    NOT_ABOUT,
  ],
  [
    'bad_route',
    twirpError(404, 'bad_route', 'no handler'),
    ['sfu.wrong-path', 'status 404, bad_route, at {}'],
  ],
  ['404 of something else', reply(404, '<html>', HTML), notLiveKit('status 404')],
  [
    'not_found by something else',
    reply(404, '{"code":"not_found"}', { 'content-type': 'text/plain' }),
    notLiveKit('status 404'),
  ],
  [
    'not_found with a failure of the server',
    twirpError(500, 'not_found', ''),
    ['sfu.unavailable', 'status 500, unexpected_answer, at {}'],
  ],
  [
    'more than there can be to say',
    reply(200, 'x'.repeat(1_048_577), PROTOBUF),
    ['sfu.bad-answer', 'the answer at {} is empty or too large'],
  ],
  [
    'permission_denied',
    twirpError(403, 'permission_denied', ''),
    ['sfu.call-refused', 'status 403, permission_denied, at {}'],
  ],
  [
    'unavailable',
    twirpError(503, 'unavailable', ''),
    ['sfu.unavailable', 'status 503, unavailable, at {}'],
  ],
  [
    'internal',
    twirpError(500, 'internal', 'not_found'),
    ['sfu.unavailable', 'status 500, internal, at {}'],
  ],
  [
    '502 of a proxy',
    reply(502, '<html>'),
    ['sfu.unavailable', 'status 502, unexpected_answer, at {}'],
  ],
  ['a page with status 502', reply(502, '<html>', HTML), NO_ERROR],
  [
    'a page with status 403',
    reply(403, '<html>', HTML),
    ['sfu.wrong-path', 'status 403 at {}, and no error of LiveKit'],
  ],
  [
    'a page with status 401',
    reply(401, '<html>', HTML),
    ['sfu.wrong-path', 'status 401 at {}, and no error of LiveKit'],
  ],
  [
    'a redirect to another host',
    { kind: 'redirect', location: 'http://user:secret@elsewhere.test/path?token' },
    ['sfu.wrong-path', 'status 302 at {}, a redirect to http://elsewhere.test'],
  ],
  [
    'a redirect to nothing that can be asked',
    { kind: 'redirect', location: 'javascript:alert(1)' },
    ['sfu.wrong-path', 'status 302 at {}, a redirect to no URL'],
  ],
  [
    'a redirect to TLS',
    { kind: 'redirect', location: 'https://sfu.test:8443/twirp' },
    ['sfu.needs-tls', 'status 302 at {}, a redirect to https://sfu.test:8443'],
  ],
  ...[
    'Client sent an HTTP request to an HTTPS server.\n',
    '<center>The plain HTTP request was sent to HTTPS port</center>',
    "Reason: You're speaking plain HTTP to an SSL-enabled server port.",
  ].map(
    (text) =>
      [
        `"${text.slice(0, 30)}"`,
        reply(400, text, HTML),
        ['sfu.needs-tls', 'status 400 at {}, and no error of LiveKit'],
      ] as const,
  ),
  ['bytes that are no participant', reply(200, new Uint8Array([0xff, 0xff]), PROTOBUF), NOT_ABOUT],
] as const)('does not know after %s', async (_what, answer, [code, found]) => {
  sfu.respond('GetParticipant', answer)
  expect(await find('@alice:example.com:DEVICE')).toEqual(
    unknown(code, found.replace('{}', place())),
  )
})

test.each([
  ['no answer', { kind: 'close' }],
  ['half an answer', { kind: 'truncated', type: 'application/protobuf' }],
] as const)('does not know when the connection is closed after %s', async (_what, answer) => {
  sfu.respond('GetParticipant', answer)
  expect(await find('@alice:example.com:DEVICE')).toEqual(
    unknown('sfu.closed', `connection closed by the server, at ${place()}`),
  )
})

test('does not know when the SFU knows another key', async () => {
  expect(await find('@alice:example.com:DEVICE', { credentials: OTHER_CREDENTIALS })).toEqual(
    unknown('sfu.wrong-credentials', `status 401, unauthenticated, at ${place()}`),
  )
})

test('does not know when the SFU does not answer in time', async () => {
  sfu.respond('GetParticipant', { kind: 'hang' })
  const before = performance.now()
  expect(await find('@alice:example.com:DEVICE', { timeoutMs: 100 })).toEqual(
    unknown('sfu.timeout', `timeout after 0.1 s, at ${place()}`),
  )
  expect(performance.now() - before).toBeWithin(95, 1_000)
})

test('does not know when nothing listens', async () => {
  const host = `127.0.0.1:${await findClosedPort()}`
  const path = 'twirp/livekit.RoomService/GetParticipant'
  expect(await find('@alice:example.com:DEVICE', { sfuUrl: `ws://${host}` })).toEqual(
    unknown('sfu.refused', `connection refused, at http://${host}/${path}`),
  )
})

test('does not know when the port does not speak TLS', async () => {
  using plain = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket) {
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
      },
    },
  })
  const place = `https://127.0.0.1:${plain.port}/twirp/livekit.RoomService/GetParticipant`
  const sfuUrl = `wss://127.0.0.1:${plain.port}`
  expect(await find('@alice:example.com:DEVICE', { sfuUrl })).toEqual(
    unknown('sfu.tls-failed', `TLS handshake failed, at ${place}`),
  )
})

test('gives up at once when its signal fires', async () => {
  sfu.respond('GetParticipant', { kind: 'hang' })
  const abort = new AbortController()
  const before = sfu.requests.length
  const finding = find('@alice:example.com:DEVICE', {}, abort.signal)
  await until(() => sfu.requests.length > before)
  abort.abort()
  const since = performance.now()
  expect(await finding).toMatchObject({ kind: 'unknown' })
  expect(performance.now() - since).toBeLessThan(500)
})
