import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { decodeJwt } from 'jose'
import { joinLiveKit } from './support/livekit-client.ts'
import { logInNewUser, type MatrixClient } from './support/matrix-client.ts'
import type { Service, ServiceAnswer } from './support/service.ts'
import { type Site, startSite } from './support/site.ts'
import { currentBody, legacyBody } from './support/token-requests.ts'

const startTimeoutMs = 180_000
const loopback = '127.0.0.0/8'

let site: Site
let alice: MatrixClient
/** Discovers the homeserver over TLS, and treats every one as full access. */
let discovering: Service
/** Is told where the homeserver is, and treats it as full access. */
let overridden: Service
/** Discovers the homeserver over TLS, and treats it as restricted. */
let restricting: Service
/** Discovers the homeserver over TLS, and does not know the authority of its certificate. */
let distrusting: Service

beforeAll(async () => {
  site = await startSite()
  alice = await logInNewUser(site.synapse, 'alice', 'DEVICE123')
  discovering = await site.startService({
    name: 'discovering',
    settings: {
      LIVEKIT_FULL_ACCESS_HOMESERVERS: '*',
      LIVEKIT_FEDERATION_ALLOW_NETWORKS: loopback,
    },
  })
  overridden = await site.startService({
    name: 'overridden',
    settings: {
      LIVEKIT_FULL_ACCESS_HOMESERVERS: site.serverName,
      LIVEKIT_FEDERATION_URL_OVERRIDES: `${site.serverName}=${site.synapse.plainUrl}`,
    },
  })
  restricting = await site.startService({
    name: 'restricting',
    settings: {
      LIVEKIT_FULL_ACCESS_HOMESERVERS: 'other.test',
      LIVEKIT_FEDERATION_ALLOW_NETWORKS: loopback,
    },
  })
  distrusting = await site.startService({
    name: 'distrusting',
    settings: {
      LIVEKIT_FULL_ACCESS_HOMESERVERS: '*',
      LIVEKIT_FEDERATION_ALLOW_NETWORKS: loopback,
      NODE_EXTRA_CA_CERTS: '',
    },
  })
}, startTimeoutMs)

afterAll(() => site?.[Symbol.asyncDispose](), startTimeoutMs)

/** Which participant of which LiveKit room a client becomes with what the service answered. */
async function joinWith(answer: ServiceAnswer) {
  expect(answer).toEqual({
    status: 200,
    body: { url: site.livekit.url, jwt: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/) },
  })
  await using participant = await joinLiveKit(String(answer.body.url), String(answer.body.jwt))
  const { room, participant: info } = participant.join
  return { room: room?.name, identity: info?.identity }
}

/** The token with the byte in the middle of one of its parts replaced by another of its alphabet. */
function withChangedByte(token: string, part: number): string {
  const parts = token.split('.')
  const text = parts[part] ?? ''
  const at = Math.floor(text.length / 2)
  parts[part] = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
  return parts.join('.')
}

const unauthorised = {
  status: 401,
  body: { errcode: 'M_UNAUTHORIZED', error: 'The request could not be authorised.' },
}

/** Unpadded SHA-256 of `["@alice:matrix.test","DEVICE123","memberABC"]`. */
const hashedIdentity = 'LC4dMlVWxUbmUZmQWZkY2p2+0p+RKuRKJtRfA08f7sc'

/** Rooms of their own for each way, so that nothing but the request made them on LiveKit. */
const ways = [
  {
    way: 'discovered over TLS',
    service: () => discovering,
    roomId: '!discovered:matrix.test',
    room: '+Es8blXJ+/Mv5Rw16A+taF1Sj6jyfHOXfdeh0eHyfMk',
    deprecatedRoomId: '!discovered-deprecated:matrix.test',
    deprecatedRoom: 'qruJXTv2Vm6VVvyo8E4iCP4ArxTYU0iDKjsOHywGmO4',
    legacyRoomId: '!discovered-legacy:matrix.test',
    legacyRoom: 'wfJFRncG4hWQ/8m+UgD4qr+CWtQM4l8wJFEz2aAGx2g',
  },
  {
    way: 'named by an override',
    service: () => overridden,
    roomId: '!overridden:matrix.test',
    room: 'z9doPgd8vUtlxrsxI8dmW0P1OjLLTWphLGFhltDAE9o',
    deprecatedRoomId: '!overridden-deprecated:matrix.test',
    deprecatedRoom: 'JGkQvOoaZH27RCayu5uLCgwrb/JT/ZYzV31XFo+8BuQ',
    legacyRoomId: '!overridden-legacy:matrix.test',
    legacyRoom: 'VMH3LJVbdMIqL2Et4pQZH0nSUg5X7Op3SRHArJ3PTBI',
  },
] as const

describe.each(ways)('with the homeserver $way', ({ service, ...names }) => {
  test('a token of /get_token joins its room under the hashed identity', async () => {
    const body = currentBody(alice, names.roomId, await alice.requestOpenIdToken())
    expect(await joinWith(await service().post('/get_token', body))).toEqual({
      room: names.room,
      identity: hashedIdentity,
    })
  })

  test('a token of /sfu/get with the current body joins under the hashed identity too', async () => {
    const body = currentBody(alice, names.deprecatedRoomId, await alice.requestOpenIdToken())
    expect(await joinWith(await service().post('/sfu/get', body))).toEqual({
      room: names.deprecatedRoom,
      identity: hashedIdentity,
    })
  })

  test('a token of /sfu/get with the legacy body joins under the plain identity', async () => {
    const body = legacyBody(alice, names.legacyRoomId, await alice.requestOpenIdToken())
    expect(await joinWith(await service().post('/sfu/get', body))).toEqual({
      room: names.legacyRoom,
      identity: '@alice:matrix.test:DEVICE123',
    })
  })

  test('an OpenID token with a changed byte is refused', async () => {
    const genuine = await alice.requestOpenIdToken()
    const changed = { ...genuine, access_token: withChangedByte(genuine.access_token, 0) }
    const answer = await service().post('/get_token', currentBody(alice, names.roomId, changed))
    expect(answer).toEqual(unauthorised)
  })
})

test('refuses a homeserver with a certificate of an unknown authority', async () => {
  const body = currentBody(alice, '!distrusted:matrix.test', await alice.requestOpenIdToken())
  expect(await distrusting.post('/get_token', body)).toEqual(unauthorised)
})

test('a room that Synapse created can be joined by its ID', async () => {
  const roomId = await alice.createRoom()
  const openidToken = await alice.requestOpenIdToken()
  const answer = await discovering.post('/get_token', currentBody(alice, roomId, openidToken))
  expect(await joinWith(answer)).toMatchObject({ identity: hashedIdentity })
})

test('LiveKit admits a restricted user only after a full-access user has created the room', async () => {
  const body = currentBody(alice, '!nobody:matrix.test', await alice.requestOpenIdToken())
  const restricted = await restricting.post('/get_token', body)
  expect(restricted.status).toBe(200)
  await expect(joinWith(restricted)).rejects.toMatchObject({ status: 404 })

  expect((await overridden.post('/get_token', body)).status).toBe(200)
  expect(await joinWith(restricted)).toEqual({
    room: 'O17fsJOZFjSgbbDw3mMK7Ba6kMmfW7R1gyiAgoXPjDw',
    identity: hashedIdentity,
  })
})

test.each([
  ['header', 0],
  ['payload', 1],
  ['signature', 2],
])('LiveKit refuses a token with a changed byte in its %s', async (_, part) => {
  const body = currentBody(alice, '!roomid:matrix.test', await alice.requestOpenIdToken())
  const { body: answer } = await overridden.post('/get_token', body)
  const changed = withChangedByte(String(answer.jwt), part)
  await expect(joinLiveKit(site.livekit.url, changed)).rejects.toMatchObject({ status: 401 })
})

test('the token of a full-access user grants joining its room and nothing else', async () => {
  const body = currentBody(alice, '!roomid:matrix.test', await alice.requestOpenIdToken())
  const { body: answer } = await discovering.post('/get_token', body)
  const claims = decodeJwt(String(answer.jwt))
  expect(claims).toMatchObject({
    iss: 'devkey',
    sub: hashedIdentity,
    video: {
      room: 'EUJju/aLQqj9+ethYr/09SIgFte+cb6HAo956AHoEKI',
      roomJoin: true,
      roomCreate: false,
      canPublish: true,
      canSubscribe: true,
      canUpdateOwnMetadata: false,
    },
  })
  expect(Number(claims.exp) - Number(claims.nbf)).toBe(3600)
})

describe('the doctor', () => {
  test('finds the homeserver and LiveKit as they are, and whose a token is', async () => {
    const token = await alice.requestOpenIdToken()
    const settings = { LIVEKIT_FULL_ACCESS_HOMESERVERS: site.serverName }
    const args = ['--token', token.access_token, '--user', alice.userId]
    const { findings, text } = await site.examine(settings, args)
    const codes = findings.flatMap(({ code }) => code ?? [])
    // As the site is: certificates of a day, a bare well-known document, and no metrics listener.
    expect(codes).toEqual([
      'federation.certificate-expires-soon',
      'client-api.no-cors',
      'transports.none',
    ])
    const found = new Map(findings.map((finding) => [finding.step, finding.found]))
    expect(found.get('federation')).toMatch(/^Synapse \d+\.\d+\.\d+ answers$/)
    expect(found.get('openid')).toBe(`the token is of ${alice.userId}`)
    expect(found.get('sfu')).toContain('accepts the key and secret')
    expect(found.get('signalling')).toBe(
      'a room lets participants in once it has been created, and not before',
    )
    expect(found.get('delayed-events')).toStartWith('supported')
    expect(text).not.toContain(token.access_token)
  })

  test.each([
    [
      'secret',
      { LIVEKIT_SECRET: 'another-secret-of-sufficient-length-0123456789' },
      'the secret or the clock',
    ],
    ['key', { LIVEKIT_KEY: 'another-key' }, 'it does not know the API key'],
  ])('tells a wrong API %s from everything else', async (_, settings, meaning) => {
    const access = { LIVEKIT_FULL_ACCESS_HOMESERVERS: site.serverName }
    const { findings } = await site.examine({ ...access, ...settings })
    const finding = findings.find(({ step }) => step === 'sfu')
    expect(finding).toMatchObject({ level: 'problem', code: 'sfu.wrong-credentials' })
    expect(finding?.found).toContain(meaning)
  })
})
