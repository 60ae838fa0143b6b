import { describe, expect, test } from 'bun:test'
import {
  type EnforcementStage,
  isJoinedPath,
  membersPath,
  ROOM_ID,
  startEnforcementStage,
} from '../support/enforcement-stage.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { twirpError } from '../support/sfu.ts'
import { until } from '../support/until.ts'

const ALICE = '@alice:example.com'
const BOB = '@bob:example.com'

/** Short, so that a check that hangs ends within a test. */
const TUNING = { clientApiTimeoutMs: 3_000, sfuTimeoutMs: 1_000 }
/** Several intervals. */
const LIMIT_MS = 10_000

function messagesOf({ app }: EnforcementStage, beginning: string) {
  return app.log.filter(({ message }) => String(message).startsWith(beginning))
}

/** Alice is a member and Bob is not, both connected; the answers are what the homeserver says. */
async function startDoubtful(answer: Answer) {
  const isSilent = answer.kind === 'hang'
  const tuning = { ...TUNING, ...(isSilent && { clientApiTimeoutMs: 1_000 }) }
  const stage = await startEnforcementStage({ tuning })
  const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
  stage.homeserver.respond(membersPath(), answer)
  stage.connect(alice)
  stage.connect(bob)
  stage.api.leave(ROOM_ID, BOB)
  return { stage, alice, bob }
}

/** Code, and cause, where `{}` is who answered. */
type Why = readonly [code: string, cause: string]

const NO_MEMBERS: Why = [
  'homeserver.bad-answer',
  'joined_members: the answer has no object "joined"',
]
const WRONG_TOKEN = reply(401, { errcode: 'M_UNKNOWN_TOKEN' })

const DOUBTS: readonly (readonly [string, Answer, Why])[] = [
  [
    'an error',
    reply(500, { errcode: 'M_UNKNOWN' }),
    ['homeserver.unavailable', 'status 500, M_UNKNOWN, for joined_members from {}'],
  ],
  [
    'that it does not know the room',
    reply(404, {}),
    ['homeserver.bad-answer', 'status 404, for joined_members from {}'],
  ],
  [
    'that it lacks the endpoint',
    reply(404, { errcode: 'M_UNRECOGNIZED' }),
    ['homeserver.unsupported', 'status 404, M_UNRECOGNIZED, for joined_members from {}'],
  ],
  [
    'that there is something wrong',
    reply(400, { errcode: 'M_INVALID_PARAM' }),
    ['homeserver.refused', 'status 400, M_INVALID_PARAM, for joined_members from {}'],
  ],
  [
    'that the token is wrong',
    WRONG_TOKEN,
    ['homeserver.as-token-refused', 'status 401, M_UNKNOWN_TOKEN, for joined_members from {}'],
  ],
  ['nothing', { kind: 'hang' }, ['client-api.timeout', 'timeout after 1 s']],
  [
    'half an answer',
    { kind: 'truncated' },
    ['client-api.closed', '{}: connection closed by the server'],
  ],
  ['no JSON', { kind: 'invalid-json' }, NO_MEMBERS],
  ['nothing of "joined"', reply(200, {}), NO_MEMBERS],
  ['a list of members', reply(200, { joined: [ALICE] }), NO_MEMBERS],
  ['null for members', reply(200, { joined: null }), NO_MEMBERS],
]

describe('when the homeserver says', () => {
  test.concurrent.each(DOUBTS)(
    '%s, nobody is touched, and it is logged once',
    async (_, answer, [code, cause]) => {
      const { stage: started, bob } = await startDoubtful(answer)
      await using stage = started
      await until(() => stage.listings() >= 3, LIMIT_MS)
      expect(stage.removals()).toEqual([])
      expect(stage.deletions()).toEqual([])
      const warnings = messagesOf(stage, 'membership cannot be checked')
      expect(warnings.map((line) => [line.level, line.code, line.cause])).toEqual([
        ['warn', code, cause.replace('{}', stage.homeserver.url)],
      ])

      stage.homeserver.restore()
      await until(() => stage.removals().length > 0, LIMIT_MS)
      expect(stage.removals()).toEqual([bob.identity])
      expect(messagesOf(stage, 'membership can be checked again')).toHaveLength(1)
    },
  )

  test.concurrent('more than 16 MiB, each user who is connected is asked for', async () => {
    await using stage = await startEnforcementStage({ tuning: TUNING })
    const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
    const absent = await stage.admit('@absent:example.com')
    const remote = await stage.admitRemote('@rita:other.example')
    stage.homeserver.respond(membersPath(), { kind: 'oversized', bytes: 16 * 1024 * 1024 })
    for (const participant of [alice, bob, remote]) stage.connect(participant)
    stage.api.leave(ROOM_ID, BOB)
    stage.api.asked.length = 0
    await until(() => stage.removals().length > 0, LIMIT_MS)
    expect(stage.removals()).toEqual([bob.identity])
    const path = isJoinedPath()
    expect(new Set(stage.api.asked.filter((asked) => asked.includes('is_joined')))).toEqual(
      new Set([
        `GET ${path}?mxid=%40alice%3Aexample.com`,
        `GET ${path}?mxid=%40bob%3Aexample.com`,
        `GET ${path}?mxid=%40rita%3Aother.example`,
      ]),
    )
    stage.api.leave(ROOM_ID, '@rita:other.example')
    stage.api.leave(ROOM_ID, '@absent:example.com')
    await until(() => stage.removals().length > 1, LIMIT_MS)
    expect(stage.removals()).toEqual([bob.identity, remote.identity])
    expect(stage.removals()).not.toContain(alice.identity)
    expect(stage.removals()).not.toContain(absent.identity)
  })
})

test.concurrent('when the SFU does not say who is connected, nobody is touched', async () => {
  await using stage = await startEnforcementStage({ tuning: TUNING })
  const bob = await stage.admit(BOB)
  await stage.admit(ALICE)
  const looks = () => stage.sfu.requests.filter(({ method }) => method === 'GetParticipant')
  stage.sfu.respond('GetParticipant', twirpError(503, 'unavailable', 'try later'))
  stage.connect(bob)
  stage.api.leave(ROOM_ID, BOB)
  await until(() => looks().length >= 6, LIMIT_MS)
  expect(stage.removals()).toEqual([])
  expect(stage.listings()).toBe(0)
  expect(messagesOf(stage, 'membership cannot be checked')).toEqual([
    expect.objectContaining({
      level: 'warn',
      code: 'sfu.unavailable',
      cause:
        'status 503, unavailable, ' +
        `at ${stage.sfu.url}/twirp/livekit.RoomService/GetParticipant`,
    }),
  ])
  stage.sfu.restore()
  await until(() => stage.removals().length > 0, LIMIT_MS)
})

test.concurrent('rooms whose checks hang hold up no other, and say so once', async () => {
  await using stage = await startEnforcementStage({ tuning: { clientApiTimeoutMs: 1_500 } })
  const hanging = ['!h1:example.com', '!h2:example.com', '!h3:example.com']
  for (const roomId of hanging) {
    stage.homeserver.respond(membersPath(roomId), { kind: 'hang' })
    stage.connect(await stage.admit(ALICE, roomId))
  }
  await stage.admit(ALICE)
  const bob = await stage.admit(BOB)
  await until(() => hanging.every((roomId) => stage.listings(roomId) > 0), LIMIT_MS)
  stage.connect(bob)
  stage.api.leave(ROOM_ID, BOB)
  await until(() => stage.removals().length > 0, 3_000)
  await until(() => hanging.every((roomId) => stage.listings(roomId) > 1), 8_000)
  await until(() => stage.listings() > 3, LIMIT_MS)
  expect(messagesOf(stage, 'membership cannot be checked')).toHaveLength(1)
  expect(messagesOf(stage, 'membership can be checked again')).toEqual([])
})
