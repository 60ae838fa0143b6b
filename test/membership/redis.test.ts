import { describe, expect, test } from 'bun:test'
import {
  type EnforcementStage,
  membersPath,
  ROOM_ID,
  startEnforcementStage,
} from '../support/enforcement-stage.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { until } from '../support/until.ts'

const ALICE = '@alice:example.com'
const BOB = '@bob:example.com'
const LIMIT_MS = 6_000

/** A stage with a Redis of its own, which keeps all on disk. */
async function startWithRedis(more: Readonly<Record<string, string>> = {}) {
  const redis = await startRedisServer({ persistent: true })
  const env = { LIVEKIT_REDIS_URL: redis.url, ...more }
  const stage = await startEnforcementStage({ env, tuning: { storeTimeoutMs: 1_500 } })
  return {
    redis,
    stage,
    async [Symbol.asyncDispose]() {
      await stage.close()
      await redis.close()
    },
  }
}

/** Alice and Bob are connected and members. */
async function connectTwo(stage: EnforcementStage) {
  const [alice, bob] = [await stage.admit(ALICE), await stage.admit(BOB)]
  await stage.join(alice)
  await stage.join(bob)
  return { alice, bob }
}

describe('a Redis', () => {
  test.concurrent('that was away refuses tokens and joins, and the checks go on when it is back', async () => {
    await using set = await startWithRedis()
    const { redis, stage } = set
    const { alice, bob } = await connectTwo(stage)
    await redis.kill()
    stage.api.leave(ROOM_ID, BOB)
    await until(async () => (await stage.join(bob)).status === 503, LIMIT_MS)
    const refused = await stage.admit('@new:example.com').catch((error: Error) => error.message)
    expect(refused).toStartWith('no token: 503')
    await Bun.sleep(1_500)
    // A check that had begun before may have ended meanwhile.
    stage.connect(bob)
    const before = stage.removals().length
    await redis.start()
    await until(() => stage.removals().length > before, 5_000)
    expect(new Set(stage.removals())).toEqual(new Set([bob.identity]))
    expect(stage.removals()).not.toContain(alice.identity)
  })

  for (const [what, empty] of [
    ['is emptied', (redis: RedisServer) => redis.run('FLUSHALL')],
    [
      'is replaced by an empty one',
      async (redis: RedisServer) => {
        await redis.kill()
        await redis.start()
        await redis.run('FLUSHALL')
      },
    ],
  ] as const) {
    test.concurrent(`that ${what} is told again who has which token`, async () => {
      await using set = await startWithRedis()
      const { redis, stage } = set
      const { bob } = await connectTwo(stage)
      const absent = await stage.admit('@absent:example.com')
      await until(() => stage.listings() > 1, LIMIT_MS)
      await empty(redis)
      const field = JSON.stringify([absent.room, absent.identity])
      const key = `lk-jwt:{lk-jwt:jobs}:admitted:${ROOM_ID}`
      await until(() => redis.run('HGET', key, field).catch(() => null), 5_000)
      stage.api.leave(ROOM_ID, BOB)
      stage.api.leave(ROOM_ID, '@absent:example.com')
      await until(() => stage.removals().length > 0, LIMIT_MS)
      expect(stage.removals()).toEqual([bob.identity])
      await stage.join(absent)
      await until(() => stage.removals().length > 1, LIMIT_MS)
      const refilled = stage.app.log.filter(({ restored }) => restored === 3)
      expect(refilled.map(({ level }) => level)).toEqual(['warn'])
    })
  }
})

describe('two replicas', () => {
  test.concurrent('share the rooms: each is asked for once per interval', async () => {
    // A busy machine would not keep up with the interval of the other tests.
    const everySecond = { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '1' }
    await using set = await startWithRedis(everySecond)
    const { stage } = set
    await stage.startReplica()
    const rooms = Array.from({ length: 12 }, (_, index) => `!room${index}:example.com`)
    for (const roomId of rooms) stage.connect(await stage.admit(ALICE, roomId))
    await until(() => rooms.every((roomId) => stage.listings(roomId) > 0), LIMIT_MS)
    const [before, startedAt] = [stage.listings(), performance.now()]
    await Bun.sleep(3_000)
    const perRoom = (stage.listings() - before) / rooms.length
    const intervals = (performance.now() - startedAt) / 1_000
    expect(perRoom / intervals).toBeWithin(0.5, 1.07)
  })

  test.concurrent('do not repeat a check that takes long', async () => {
    await using set = await startWithRedis()

    const { stage } = set
    await stage.startReplica()
    stage.homeserver.respond(membersPath(), { kind: 'hang' })
    stage.connect(await stage.admit(ALICE))
    await until(() => stage.listings() === 1, LIMIT_MS)
    await Bun.sleep(3_500)
    expect(stage.listings()).toBe(1)
  })

  test.concurrent('check what the other one handed out', async () => {
    await using set = await startWithRedis()

    const { stage } = set
    const other = await stage.startReplica()
    const { bob } = await connectTwo(stage)
    await stage.app.close()
    stage.api.leave(ROOM_ID, BOB)
    await until(() => stage.removals().length > 0, LIMIT_MS)
    await stage.join(bob, other)
    await until(() => stage.removals().length > 1, LIMIT_MS)
    expect(stage.removals()).toEqual([bob.identity, bob.identity])
  })

  test.concurrent('write back what either of them handed out', async () => {
    await using set = await startWithRedis()

    const { redis, stage } = set
    const other = await stage.startReplica()
    await stage.admit(ALICE)
    await stage.admit(BOB, ROOM_ID, other)
    await until(
      async () => Number(await redis.run('HGET', 'lk-jwt:{lk-jwt:jobs}:store', 'beats')) > 3,
    )
    await Bun.sleep(1_100)
    await redis.run('FLUSHALL')
    const key = `lk-jwt:{lk-jwt:jobs}:admitted:${ROOM_ID}`
    await until(async () => (await redis.run('HLEN', key)) === 2, 5_000)
  })
})
