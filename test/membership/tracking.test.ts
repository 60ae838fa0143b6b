import { expect, test } from 'bun:test'
import { identityOf, liveKitRoom } from '../../src/livekit/names.ts'
import { INTERVAL_MS, ROOM_ID, startEnforcementStage } from '../support/enforcement-stage.ts'
import { until } from '../support/until.ts'

const ALICE = '@alice:example.com'
const BOB = '@bob:example.com'
const LIMIT_MS = 6_000

test.concurrent('where nobody is connected, the homeserver is not asked', async () => {
  await using stage = await startEnforcementStage()
  const alice = await stage.admit(ALICE)
  const looks = () => stage.sfu.requests.filter(({ method }) => method === 'GetParticipant')
  stage.api.asked.length = 0
  await until(() => looks().length >= 3, LIMIT_MS)
  expect(stage.api.asked).toEqual([])
  await stage.join(alice)
  await until(() => stage.listings() > 0, LIMIT_MS)
  await stage.leave(alice)
  await until(() => stage.sfu.requests.at(-1)?.method === 'GetParticipant')
  const [listings, before] = [stage.listings(), looks().length]
  await until(() => looks().length >= before + 2, LIMIT_MS)
  expect(stage.listings()).toBeLessThanOrEqual(listings + 1)
})

test.concurrent('a Matrix room with several calls is asked for once per interval', async () => {
  // A busy machine would not keep up with the interval of the other tests.
  await using stage = await startEnforcementStage({
    env: { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '1' },
  })
  for (const number of [1, 2, 3, 4, 5]) {
    stage.connect(await stage.admit(`@user${number}:example.com`))
  }
  await until(() => stage.listings() > 0, LIMIT_MS)
  const startedAt = performance.now()
  await until(() => stage.listings() >= 4, LIMIT_MS)
  expect(performance.now() - startedAt).toBeGreaterThan(2_700)
})

test.concurrent('with an interval of 0 nothing is remembered and nobody is checked', async () => {
  await using stage = await startEnforcementStage({
    env: { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '0' },
  })
  const bob = await stage.admit(BOB)
  stage.api.leave(ROOM_ID, BOB)
  expect((await stage.join(bob)).status).toBe(200)
  // Nobody is limited to 100 tokens either.
  await Promise.all(
    Array.from({ length: 101 }, (_, index) => stage.admit(ALICE, `!room${index}:example.com`)),
  )
  await Bun.sleep(4 * INTERVAL_MS)
  expect(stage.removals()).toEqual([])
  expect(stage.listings()).toBe(0)
  const looks = stage.sfu.requests.filter(({ method }) => method === 'GetParticipant')
  expect(looks).toEqual([])
})

test.concurrent('standalone tokens are neither tracked nor removed', async () => {
  await using stage = await startEnforcementStage({
    env: { LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com' },
  })
  const { homeserver, sfu } = stage
  const overrides = `example.com=${homeserver.url}`
  const app = await stage.startReplica({ env: { LIVEKIT_FEDERATION_URL_OVERRIDES: overrides } })
  const response = await app.post('/sfu/get', {
    room: ROOM_ID,
    openid_token: {
      access_token: homeserver.issueOpenIdToken(BOB),
      matrix_server_name: 'example.com',
    },
    device_id: 'DEVICE',
  })
  expect(response.status).toBe(200)
  const alice = await stage.admit(ALICE, ROOM_ID, app)
  const room = liveKitRoom(ROOM_ID, 'm.call#ROOM')
  const identity = identityOf(BOB, { form: 'legacy', deviceId: 'DEVICE' })
  sfu.addParticipant(room, identity)
  await sfu.sendWebhook(`${app.url}/sfu_webhook`, {
    event: 'participant_joined',
    room: { name: room },
    participant: { identity },
  })
  await stage.join(alice, app)
  await until(() => stage.listings() > 2, LIMIT_MS)
  expect(stage.removals()).toEqual([])
  const looks = sfu.requests.filter(({ method }) => method === 'GetParticipant')
  expect(looks.map(({ message }) => Object(message).identity)).not.toContain(identity)
  expect(alice.room).toBe(room)
})
