import { expect, test } from 'bun:test'
import { startEnforcementStage } from '../support/enforcement-stage.ts'
import { twirpError } from '../support/sfu.ts'
import { until } from '../support/until.ts'

const ALICE = '@alice:example.com'
const BOB = '@bob:example.com'
const LIMIT_MS = 6_000
const MINUTE_MS = 60_000

test.concurrent('a kicked user cannot come back with the token that the SFU gave them last', async () => {
  let aheadMs = 0
  const monotonicNow = () => performance.now() + aheadMs
  await using stage = await startEnforcementStage({ monotonicNow })
  const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
  await stage.join(alice)
  // Just before the end of the first token.
  aheadMs = 60 * MINUTE_MS
  stage.api.leave(bob.roomId, BOB)
  await stage.join(bob)
  await until(() => stage.removals().length === 1, LIMIT_MS)
  // LiveKit's own token is good for 10 min from then on.
  aheadMs += 9 * MINUTE_MS
  await stage.join(bob)
  await until(() => stage.removals().length === 2, LIMIT_MS)
  expect(stage.removals()).toEqual([bob.identity, bob.identity])
})

test.concurrent('an interval that is longer than a token lasts does not let anybody be forgotten', async () => {
  let aheadMs = 0
  const monotonicNow = () => performance.now() + aheadMs
  await using stage = await startEnforcementStage({
    monotonicNow,
    env: { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '7200' },
  })
  const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
  stage.connect(alice)
  stage.connect(bob)
  aheadMs = 31 * MINUTE_MS
  await until(() => stage.listings() === 1, LIMIT_MS)
  stage.api.leave(bob.roomId, BOB)
  aheadMs += 121 * MINUTE_MS
  await until(() => stage.removals().length === 1, LIMIT_MS)
  expect(stage.removals()).toEqual([bob.identity])
})

test.concurrent('a delegation goes on while its participant cannot be removed', async () => {
  await using stage = await startEnforcementStage()
  const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
  await stage.join(alice)
  expect((await stage.delegate(bob, 'delay of bob')).status).toBe(200)
  stage.sfu.respond('RemoveParticipant', twirpError(503, 'unavailable', 'try later'))
  stage.api.leave(bob.roomId, BOB)
  await stage.join(bob)
  await until(() => stage.removals().length > 0, LIMIT_MS)
  expect(stage.app.log.filter(({ to }) => to === 'dropped')).toEqual([])
  stage.sfu.restore()
  await until(() => stage.app.log.some(({ to }) => to === 'dropped'), 2 * LIMIT_MS)
})

test.concurrent('a homeserver that fails once is asked again soon, not only at the next interval', async () => {
  await using stage = await startEnforcementStage({
    env: { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '60' },
  })
  const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
  await stage.join(alice)
  await until(() => stage.listings() > 0, LIMIT_MS)
  stage.api.leave(bob.roomId, BOB)
  stage.homeserver.respond('/_matrix/client/v3/rooms/!room%3Aexample.com/joined_members', {
    kind: 'close',
  })
  await Bun.sleep(300)
  await stage.join(bob)
  await until(() => stage.app.log.some(({ message }) => message === 'membership cannot be checked'))
  stage.homeserver.restore()
  await until(() => stage.removals().length > 0, LIMIT_MS)
  expect(stage.removals()).toEqual([bob.identity])
})
