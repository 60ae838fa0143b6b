import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { Room } from '@livekit/protocol'
import { createTokenSigner } from '../../src/livekit/access-token.ts'
import { createRoomService, sfuApiBase } from '../../src/livekit/room-service.ts'
import { SfuError } from '../../src/livekit/twirp.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { reply } from '../support/misbehaviour.ts'
import { type Sfu, startSfu, twirpError } from '../support/sfu.ts'

let sfu: Sfu

beforeAll(async () => {
  sfu = await startSfu({ ...CREDENTIALS, pathPrefix: '/livekit/sfu' })
})
beforeEach(() => sfu.restore('CreateRoom'))
afterAll(() => sfu.close())

async function roomService(sfuUrl: string, timeoutMs = 5_000) {
  const signer = await createTokenSigner(CREDENTIALS, Date.now)
  return createRoomService({ sfuUrl, signer, now: Date.now, timeoutMs })
}

async function failureOf(work: Promise<unknown>): Promise<SfuError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof SfuError)) throw new Error(`no SfuError but ${error}`)
  return error
}

const PROTOBUF = { 'content-type': 'application/protobuf' }

test.each([
  ['ws://sfu.test:7880', 'http://sfu.test:7880'],
  ['wss://sfu.test', 'https://sfu.test'],
  ['WSS://sfu.test/livekit/sfu/', 'https://sfu.test/livekit/sfu'],
  ['https://sfu.test/a', 'https://sfu.test/a'],
  ['http://[::1]:7880', 'http://[::1]:7880'],
])('reaches the API of %s at %s', (sfuUrl, base) => {
  expect(sfuApiBase(sfuUrl)).toBe(base)
})

test('creates a room with the stated parameters, path prefix kept', async () => {
  const rooms = await roomService(sfu.wsUrl)
  await rooms.createRoom('the-room')

  const request = sfu.requests.at(-1)
  expect(request?.method).toBe('CreateRoom')
  expect(request?.message).toMatchObject({
    name: 'the-room',
    emptyTimeout: 300,
    departureTimeout: 20,
    maxParticipants: 0,
  })
  expect(request?.grants?.video).toEqual({ roomCreate: true })
  expect(sfu.httpRequests.at(-1)?.path).toBe('/livekit/sfu/twirp/livekit.RoomService/CreateRoom')
  expect([...sfu.rooms.keys()]).toContain('the-room')
})

test('leaves a room that exists as it is', async () => {
  const rooms = await roomService(sfu.wsUrl)
  await rooms.createRoom('twice')
  await rooms.createRoom('twice')
  expect([...sfu.rooms.keys()].filter((name) => name === 'twice')).toEqual(['twice'])
})

test("names the SFU's own code when it refuses", async () => {
  sfu.respond('CreateRoom', twirpError(403, 'permission_denied', 'secret details'))
  const error = await failureOf((await roomService(sfu.wsUrl)).createRoom('refused'))
  expect(error.code).toBe('permission_denied')
  expect(error.message).toBe('status 403, permission_denied')
})

test('tells when the SFU does not answer in time', async () => {
  sfu.respond('CreateRoom', { kind: 'hang' })
  const error = await failureOf((await roomService(sfu.wsUrl, 100)).createRoom('slow'))
  expect(error.message).toBe('timeout after 0.1 s')
})

test('tells when nothing listens', async () => {
  const port = await findClosedPort()
  const rooms = await roomService(`ws://127.0.0.1:${port}`)
  const error = await failureOf(rooms.createRoom('nowhere'))
  expect(error.message).toBe('connection failed (ECONNREFUSED)')
})

test('does not follow a redirect with its token', async () => {
  sfu.respond('CreateRoom', { kind: 'redirect', location: `${sfu.url}/elsewhere` })
  const before = sfu.httpRequests.length
  const error = await failureOf((await roomService(sfu.wsUrl)).createRoom('redirected'))
  expect(error.message).toBe('status 302, unexpected_answer')
  expect(sfu.httpRequests.length).toBe(before + 1)
})

test.each([
  ['an empty 200, as proxies give for a wrong path', reply(200, '')],
  ['a message about another room', reply(200, new Room({ name: 'b' }).toBinary(), PROTOBUF)],
] as const)('believes in no room after %s', async (_what, answer) => {
  sfu.respond('CreateRoom', answer)
  const error = await failureOf((await roomService(sfu.wsUrl)).createRoom('a'))
  expect(error.message).toMatch(/is not LiveKit's API|is not about what was asked for/)
})
