import { afterAll, beforeAll, expect, test } from 'bun:test'
import { identityOf, liveKitRoom } from '../../src/livekit/names.ts'
import { startTestApp } from '../support/app.ts'
import { CREDENTIALS } from '../support/credentials.ts'
import { membersPath } from '../support/enforcement-stage.ts'
import { type Stage, setStage } from '../support/federation-stage.ts'
import { startHomeserver } from '../support/homeserver.ts'
import { createMemberApi } from '../support/member-api.ts'
import { AS_TOKEN, HS_TOKEN, MEMBER_PATHS } from '../support/member-stage.ts'
import { reply } from '../support/misbehaviour.ts'
import { startSfu } from '../support/sfu.ts'
import { until } from '../support/until.ts'

const ROOM_ID = '!large:home.test'
const SLOT_ID = 'm.call#ROOM'
const ALICE = '@alice:home.test'
const BOB = '@bob:home.test'

let stage: Stage
beforeAll(async () => {
  stage = await setStage()
  stage.point('home.test', '127.0.0.1')
})
afterAll(() => stage.close())

/** About 1 MiB of JSON. */
function manyMembers() {
  const users = Array.from({ length: 19_500 }, (_, index) => `@user${index}:other.example`)
  const profile = { display_name: 'Somebody' }
  return { joined: Object.fromEntries([ALICE, ...users].map((userId) => [userId, profile])) }
}

/** A service whose homeserver is found by its well-known file, and speaks TLS. */
async function startOverTls() {
  const api = createMemberApi('home.test', AS_TOKEN)
  const certificate = await stage.authority.issue({ dns: ['home.test'] })
  const homeserver = stage.keep(
    await startHomeserver({ serverName: 'home.test', memberApi: api, certificate }),
  )
  const { port } = new URL(homeserver.url)
  homeserver.setWellKnownClient(`https://home.test:${port}`)
  const sfu = stage.keep(await startSfu(CREDENTIALS))
  const app = stage.keep(
    await startTestApp({
      env: {
        LIVEKIT_URL: sfu.wsUrl,
        LIVEKIT_AS_TOKEN: AS_TOKEN,
        LIVEKIT_HS_TOKEN: HS_TOKEN,
        LIVEKIT_HS_SERVER_NAME: 'home.test',
        LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '1',
      },
      tuning: { ca: stage.authority.caPem, wellKnownPort: Number(port) },
    }),
  )

  async function admit(userId: string): Promise<string> {
    api.join(ROOM_ID, userId)
    const body = { url: sfu.wsUrl, room_id: ROOM_ID, slot_id: SLOT_ID, member_id: 'member' }
    const response = await app.post(MEMBER_PATHS.token, body, {
      Authorization: `Bearer ${HS_TOKEN}`,
      'X-Matrix-User-Identifier': userId,
    })
    expect(response.status).toBe(200)
    const identity = identityOf(userId, { form: 'vouched', memberId: 'member' })
    sfu.addParticipant(liveKitRoom(ROOM_ID, SLOT_ID), identity)
    return identity
  }
  return { homeserver, sfu, app, admit }
}

test('the members of a large room are read over TLS, and who is none is removed', async () => {
  const { homeserver, sfu, app, admit } = await startOverTls()
  const answer = manyMembers()
  expect(JSON.stringify(answer).length).toBeWithin(900_000, 1_200_000)
  homeserver.respond(membersPath(ROOM_ID), reply(200, answer))
  await admit(ALICE)
  const bob = await admit(BOB)
  const removals = () => sfu.requests.filter(({ method }) => method === 'RemoveParticipant')
  await until(() => removals().length > 0, 4_000)
  expect(removals().map(({ message }) => Object(message).identity)).toEqual([bob])
  const [listing] = homeserver.requests.filter(({ path }) => path === membersPath(ROOM_ID))
  expect(listing?.headers.get('authorization')).toBe(`Bearer ${AS_TOKEN}`)
  expect(app.log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
})
