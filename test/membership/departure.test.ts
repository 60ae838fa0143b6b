import { expect, test } from 'bun:test'
import {
  isJoinedPath,
  membersPath,
  ROOM_ID,
  startEnforcementStage,
} from '../support/enforcement-stage.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { twirpError } from '../support/sfu.ts'
import { until } from '../support/until.ts'

const ALICE = '@alice:example.com'
const REMOTE = '@rita:other.example'
const LIMIT_MS = 6_000
const FORBIDDEN = reply(403, { errcode: 'M_FORBIDDEN', error: 'Not in the room' })
const OWN_SERVER = `GET ${isJoinedPath()}?server_name=example.com`

test.concurrent('a room that our server has left is closed, and its delegations are dropped', async () => {
  await using stage = await startEnforcementStage()
  const [alice, remote] = [await stage.admit(ALICE), await stage.admitRemote(REMOTE)]
  expect((await stage.delegate(alice, 'delay of alice')).status).toBe(200)
  for (const place of [alice, remote]) await stage.join(place)
  const { delayedEventCalls } = stage.homeserver
  await until(() => delayedEventCalls.length > 0)
  stage.api.asked.length = 0
  stage.api.leave(ROOM_ID, ALICE)
  await until(() => stage.deletions().length > 0, LIMIT_MS)
  await until(() => !stage.sfu.rooms.has(alice.room), LIMIT_MS)
  expect(stage.deletions()).toEqual([alice.room])
  expect(stage.removals()).toEqual([])
  expect(stage.api.asked).toContain(OWN_SERVER)
  await stage.leave(alice)
  await until(() => stage.app.log.some(({ to }) => to === 'dropped'))
  // A new delegation of the same place shows that nothing of the former is under way.
  await Bun.sleep(300)
  expect(delayedEventCalls.filter(({ action }) => action === 'send')).toEqual([])
})

test.concurrent('whoever comes back to a room that was closed is put out alone', async () => {
  await using stage = await startEnforcementStage()
  const alice = await stage.admit(ALICE)
  stage.api.leave(ROOM_ID, ALICE)
  await stage.join(alice)
  await until(() => stage.deletions().length === 1, LIMIT_MS)
  await Bun.sleep(300)
  await stage.join(alice)
  await until(() => stage.removals().length === 1, LIMIT_MS)
  expect(stage.removals()).toEqual([alice.identity])
  expect(stage.deletions()).toEqual([alice.room])
})

test.concurrent('a list without any of our users is believed only with a second answer', async () => {
  await using stage = await startEnforcementStage()
  const alice = await stage.admit(ALICE)
  stage.homeserver.respond(membersPath(), reply(200, { joined: { [REMOTE]: {} } }))
  await stage.join(alice)
  await until(() => stage.listings() > 2, LIMIT_MS)
  expect(stage.api.asked).toContain(OWN_SERVER)
  expect([...stage.removals(), ...stage.deletions()]).toEqual([])
})

test.concurrent('a room that cannot be closed at first is closed soon', async () => {
  await using stage = await startEnforcementStage({
    env: { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '60' },
  })
  const alice = await stage.admit(ALICE)
  stage.api.leave(ROOM_ID, ALICE)
  stage.sfu.respond('DeleteRoom', () => {
    stage.sfu.restore()
    return twirpError(503, 'unavailable', 'try later')
  })
  await stage.join(alice)
  await until(() => stage.deletions().length === 2, LIMIT_MS)
  await until(() => !stage.sfu.rooms.has(alice.room), LIMIT_MS)
})

test.concurrent('a wrong namespace is logged once, and nobody is touched', async () => {
  await using stage = await startEnforcementStage()
  stage.connect(await stage.admit(ALICE))
  stage.connect(await stage.admit(ALICE, '!other:example.com'))
  // Of a third room the homeserver says who is joined.
  stage.connect(await stage.admit(ALICE, '!fine:example.com'))
  for (const roomId of [ROOM_ID, '!other:example.com']) {
    stage.homeserver.respond(membersPath(roomId), FORBIDDEN)
  }
  await until(() => stage.listings(ROOM_ID) > 3, 6_000)
  await until(() => stage.listings('!other:example.com') > 3, 6_000)
  expect(stage.removals()).toEqual([])
  expect(stage.deletions()).toEqual([])
  const said = stage.app.log.filter(({ message }) => String(message).startsWith('membership'))
  expect(said.map(({ level, cause, code, remedy }) => ({ level, cause, code, remedy }))).toEqual([
    {
      level: 'warn',
      cause: 'the homeserver lets the service see no members of a room with users of ours',
      code: 'membership.wrong-namespace',
      remedy:
        '"namespaces.users" of the registration file must match the users of LIVEKIT_HS_SERVER_NAME.',
    },
  ])
})

const UNCERTAIN: readonly (readonly [string, Answer])[] = [
  ['fails', reply(500, {})],
  ['forbids that too', FORBIDDEN],
  ['says something else than a boolean', reply(200, { joined: 'false' })],
  ['says nothing of "joined"', reply(200, {})],
]
test.concurrent.each(UNCERTAIN)(
  'a homeserver that %s when asked for our server is doubted',
  async (_, answer) => {
    await using stage = await startEnforcementStage()
    stage.connect(await stage.admit(ALICE))
    stage.homeserver.respond(membersPath(), FORBIDDEN)
    stage.homeserver.respond(isJoinedPath(), answer)
    await until(() => stage.listings() > 2, 6_000)
    expect(stage.removals()).toEqual([])
    expect(stage.deletions()).toEqual([])
  },
)
