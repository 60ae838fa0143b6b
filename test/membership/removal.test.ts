import { describe, expect, test } from 'bun:test'
import { startEnforcementStage } from '../support/enforcement-stage.ts'
import { twirpError } from '../support/sfu.ts'
import { until } from '../support/until.ts'

const ALICE = '@alice:example.com'
const BOB = '@bob:example.com'
const REMOTE = '@rita:other.example'

/** One interval and 2 s. */
const LIMIT_MS = 6_000

describe('somebody who is connected and no longer a member', () => {
  test.concurrent('is removed within one interval and 2 s, and nobody else is', async () => {
    await using stage = await startEnforcementStage()
    const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
    await stage.join(alice)
    await stage.join(bob)
    stage.api.leave(bob.roomId, BOB)
    await until(() => stage.removals().length > 0, LIMIT_MS)
    const checks = stage.listings()
    await until(() => stage.listings() > checks + 1, LIMIT_MS)
    expect(stage.removals()).toEqual([bob.identity])
    expect(stage.deletions()).toEqual([])
  })

  test.concurrent('is removed also when a user of another homeserver', async () => {
    await using stage = await startEnforcementStage()
    const [alice, rita] = [await stage.admit(ALICE), await stage.admit('@rob:example.com')]
    const remote = await stage.admitRemote(REMOTE)
    for (const place of [alice, rita, remote]) await stage.join(place)
    await until(() => stage.listings() > 1, LIMIT_MS)
    expect(stage.removals()).toEqual([])
    stage.api.leave(remote.roomId, REMOTE)
    await until(() => stage.removals().length > 0, LIMIT_MS)
    expect(stage.removals()).toEqual([remote.identity])
  })

  test.concurrent('is removed although the webhook of the join got lost', async () => {
    await using stage = await startEnforcementStage()
    const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
    stage.connect(bob)
    stage.api.leave(alice.roomId, BOB)
    await until(() => stage.removals().length > 0, LIMIT_MS)
    expect(stage.removals()).toEqual([bob.identity])
  })

  test.concurrent('is removed with every token, from every room of the Matrix room', async () => {
    await using stage = await startEnforcementStage()
    await stage.admit(ALICE)
    const bob = await stage.admit(BOB)
    const elsewhere = await stage.admit(BOB, '!elsewhere:example.com')
    for (const place of [bob, elsewhere]) await stage.join(place)
    stage.api.leave(bob.roomId, BOB)
    await until(() => stage.removals().length > 0, LIMIT_MS)
    await until(() => stage.listings(elsewhere.roomId) > 2, LIMIT_MS)
    expect(stage.removals()).toEqual([bob.identity])
  })

  test.concurrent('has their delegation dropped, so that no leave is sent for them', async () => {
    await using stage = await startEnforcementStage()
    const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
    expect((await stage.delegate(alice, 'delay of alice')).status).toBe(200)
    expect((await stage.delegate(bob, 'delay of bob')).status).toBe(200)
    await stage.join(alice)
    await stage.join(bob)
    const { delayedEventCalls } = stage.homeserver
    await until(() => delayedEventCalls.length === 2)
    stage.api.leave(bob.roomId, BOB)
    await until(() => stage.removals().length > 0, LIMIT_MS)
    expect((await stage.leave(bob)).status).toBe(200)
    // Alice's leave shows that the service would have sent one by now.
    expect((await stage.leave(alice)).status).toBe(200)
    await until(() => delayedEventCalls.some(({ action }) => action === 'send'))
    const sent = delayedEventCalls.filter(({ action }) => action === 'send')
    expect(sent.map(({ delayId }) => delayId)).toEqual(['delay of alice'])
    const dropped = stage.app.log.filter(({ to }) => to === 'dropped')
    expect(dropped.map(({ identity }) => identity)).toEqual([bob.identity])
  })

  test.concurrent('is tried again soon when the SFU refuses at first', async () => {
    await using stage = await startEnforcementStage({
      env: { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '60' },
    })
    const [bob] = [await stage.admit(BOB), await stage.admit(ALICE)]
    stage.api.leave(bob.roomId, BOB)
    const refusal = twirpError(500, 'internal', 'not now')
    // Afterwards it answers well.
    stage.sfu.respond('RemoveParticipant', refusal, () => {
      stage.sfu.restore('RemoveParticipant')
      return refusal
    })
    await stage.join(bob)
    await until(() => stage.removals().length === 3, 6_000)
    const [first, second, third] = stage.sfu.requests
      .filter(({ method }) => method === 'RemoveParticipant')
      .map(({ at }) => at)
    expect(Number(second) - Number(first)).toBeLessThan(2_500)
    expect(Number(third) - Number(second)).toBeLessThan(3_500)
    const removed = await until(() => stage.app.log.find(isRemoval))
    expect(removed).toMatchObject({ level: 'info', room: bob.room, identity: bob.identity })
  })
})

function isRemoval({ message }: Readonly<Record<string, unknown>>): boolean {
  return message === 'membership: a participant was removed'
}

describe('a join', () => {
  test.concurrent('is checked at once', async () => {
    await using stage = await startEnforcementStage({
      env: { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '3600' },
    })
    const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
    stage.api.leave(alice.roomId, BOB)
    await stage.join(bob)
    await until(() => stage.removals().length > 0, LIMIT_MS)
    expect(stage.removals()).toEqual([bob.identity])
  })

  test.concurrent('with an old token after the removal is noticed, and ends at once', async () => {
    await using stage = await startEnforcementStage({
      env: { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '3600' },
    })
    const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
    stage.api.leave(alice.roomId, BOB)
    for (const times of [1, 2, 3]) {
      await stage.join(bob)
      await until(() => stage.removals().length === times, LIMIT_MS)
      await stage.leave(bob)
    }
  })

  test.concurrent('of many into one room asks for its members only a few times', async () => {
    await using stage = await startEnforcementStage({
      env: { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '3600' },
    })
    const users = Array.from({ length: 60 }, (_, index) => `@user${index}:example.com`)
    const places = await Promise.all(users.map((userId) => stage.admit(userId)))
    stage.api.leave('!room:example.com', '@user59:example.com')
    const startedAt = performance.now()
    for (const place of places) {
      expect((await stage.join(place)).status).toBe(200)
      await Bun.sleep(10)
    }
    const elapsedMs = performance.now() - startedAt
    await until(() => stage.removals().length > 0, LIMIT_MS)
    expect(stage.removals()).toEqual([places[59]?.identity ?? ''])
    expect(stage.listings()).toBeLessThanOrEqual(3 + elapsedMs / 200)
  })
})
