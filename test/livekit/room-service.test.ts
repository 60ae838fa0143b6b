import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test'
import { Room } from '@livekit/protocol'
import { createTokenSigner } from '../../src/livekit/access-token.ts'
import { createRoomService, sfuApiBase } from '../../src/livekit/room-service.ts'
import { SfuError } from '../../src/livekit/sfu-error.ts'
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
  const signer = createTokenSigner(CREDENTIALS, Date.now)
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

const PATH = '/livekit/sfu/twirp/livekit.RoomService/CreateRoom'
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
  expect(error.twirpCode).toBe('permission_denied')
  expect(error.trouble).toEqual({
    code: 'sfu.call-refused',
    found: `status 403, permission_denied, at ${sfu.url}${PATH}`,
  })
})

test('tells when the SFU does not answer in time', async () => {
  sfu.respond('CreateRoom', { kind: 'hang' })
  const error = await failureOf((await roomService(sfu.wsUrl, 100)).createRoom('slow'))
  expect(error.trouble).toEqual({
    code: 'sfu.timeout',
    found: `timeout after 0.1 s, at ${sfu.url}${PATH}`,
  })
})

test('tells when nothing listens', async () => {
  const port = await findClosedPort()
  const rooms = await roomService(`ws://127.0.0.1:${port}`)
  const error = await failureOf(rooms.createRoom('nowhere'))
  expect(error.trouble).toEqual({
    code: 'sfu.refused',
    found: `connection refused, at http://127.0.0.1:${port}/twirp/livekit.RoomService/CreateRoom`,
  })
})

test('does not follow a redirect with its token', async () => {
  sfu.respond('CreateRoom', { kind: 'redirect', location: `${sfu.url}/elsewhere` })
  const before = sfu.httpRequests.length
  const error = await failureOf((await roomService(sfu.wsUrl)).createRoom('redirected'))
  expect(error.trouble).toEqual({
    code: 'sfu.wrong-path',
    found: `status 302 at ${sfu.url}${PATH}, a redirect to ${sfu.url}`,
  })
  expect(sfu.httpRequests.length).toBe(before + 1)
})

test.each([
  ['an empty 200, as proxies give for a wrong path', reply(200, ''), 'sfu.wrong-path'],
  [
    'a message about another room',
    reply(200, new Room({ name: 'b' }).toBinary(), PROTOBUF),
    'sfu.bad-answer',
  ],
] as const)('believes in no room after %s', async (_what, answer, code) => {
  sfu.respond('CreateRoom', answer)
  const error = await failureOf((await roomService(sfu.wsUrl)).createRoom('a'))
  expect(error.trouble.code).toBe(code)
  expect(error.message).toMatch(
    /is not LiveKit's API|the answer at \S+ is not about what was asked for/,
  )
})

/** The SFU takes its time to create the room. */
function slowly(name: string, delayMs: number) {
  const then = reply(200, new Room({ sid: 'RM_1', name }).toBinary(), PROTOBUF)
  sfu.respond('CreateRoom', { kind: 'delay', delayMs, then })
}

function creationsOf(name: string): number {
  return sfu.requests.filter(({ message }) => 'name' in message && message.name === name).length
}

test('all who want a room while it is being created share one request', async () => {
  const rooms = await roomService(sfu.wsUrl)
  slowly('shared', 50)
  await Promise.all(Array.from({ length: 500 }, () => rooms.createRoom('shared')))
  expect(creationsOf('shared')).toBe(1)
  await rooms.createRoom('shared')
  expect(creationsOf('shared')).toBe(2)
})

test('a crowd that goes on coming causes one request at a time', async () => {
  const rooms = await roomService(sfu.wsUrl)
  slowly('crowd', 20)
  const startedAt = performance.now()
  const arrivals: Promise<void>[] = []
  while (performance.now() - startedAt < 200) {
    arrivals.push(rooms.createRoom('crowd'))
    await Bun.sleep(1)
  }
  await Promise.all(arrivals)
  const durationMs = performance.now() - startedAt
  expect(creationsOf('crowd')).toBeGreaterThan(1)
  expect(creationsOf('crowd')).toBeLessThanOrEqual(1 + durationMs / 20)
})

test('a request that fails is shared too, and tried anew by who comes later', async () => {
  const rooms = await roomService(sfu.wsUrl)
  sfu.respond('CreateRoom', twirpError(503, 'unavailable', 'try later'))
  const both = [rooms.createRoom('unlucky'), rooms.createRoom('unlucky')]
  const errors = await Promise.all(both.map(failureOf))
  expect(errors.map(({ twirpCode }) => twirpCode)).toEqual(['unavailable', 'unavailable'])
  expect(creationsOf('unlucky')).toBe(1)
  sfu.restore('CreateRoom')
  await rooms.createRoom('unlucky')
  expect(creationsOf('unlucky')).toBe(2)
})

test('no request is shared between rooms', async () => {
  const rooms = await roomService(sfu.wsUrl)
  await Promise.all([rooms.createRoom('this'), rooms.createRoom('that')])
  expect([creationsOf('this'), creationsOf('that')]).toEqual([1, 1])
})
