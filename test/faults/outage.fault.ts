import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../support/until.ts'
import { createCaller } from './support/caller.ts'
import { connectedCaller } from './support/connected-caller.ts'
import { type RedisStage, startRedisStage } from './support/redis-stage.ts'
import { stopCalmly } from './support/stage.ts'

setDefaultTimeout(120_000)

const DELAY_MS = 8_000
const OUTAGE_MS = 5 * DELAY_MS

const outages = [
  {
    name: 'is silent',
    begin: ({ proxy }: RedisStage) => proxy.goSilent(),
    end: ({ proxy }: RedisStage) => proxy.heal(),
  },
  {
    name: 'is killed, and comes back with what it had',
    begin: ({ redis }: RedisStage) => redis.kill(),
    end: ({ redis }: RedisStage) => redis.start(),
  },
  {
    name: 'is out of memory',
    begin: ({ redis }: RedisStage) => redis.run('CONFIG', 'SET', 'maxmemory', '1'),
    end: ({ redis }: RedisStage) => redis.run('CONFIG', 'SET', 'maxmemory', '0'),
  },
  {
    name: 'is silent, and comes back empty',
    begin: ({ proxy }: RedisStage) => proxy.goSilent(),
    async end({ proxy, redis }: RedisStage) {
      await redis.run('FLUSHALL')
      proxy.heal()
    },
  },
] as const

describe('two replicas whose Redis', () => {
  test.concurrent.each(outages)('$name for five times the delay lose nobody', async (outage) => {
    await using set = await startRedisStage()
    const { events } = set
    const replicas = [await set.start(), await set.start()] as const
    const stay = await Promise.all(
      [...replicas, ...replicas].map((each) => connectedCaller(set, each, DELAY_MS)),
    )
    const leave = await Promise.all(replicas.map((each) => connectedCaller(set, each, DELAY_MS)))
    await outage.begin(set)
    await Bun.sleep(OUTAGE_MS / 5)
    for (const [index, caller] of leave.entries()) {
      await caller.leave(replicas[index] ?? replicas[0])
    }
    await Bun.sleep((OUTAGE_MS * 4) / 5)
    // Nobody is told for, and whoever has left is announced by the homeserver's own timer.
    for (const { delayId } of leave) expect(events.sent(delayId)?.by).toBe('timer')
    expect(events.calls('send')).toEqual([])
    await outage.end(set)

    await until(
      async () =>
        (await createCaller({ home: set, sfu: set.sfu, delayMs: DELAY_MS }).delegate(replicas[0]))
          .status === 200,
      30_000,
    )
    await Bun.sleep(1.5 * DELAY_MS)
    for (const { delayId } of stay) expect(events.sent(delayId)).toBeUndefined()
    const [first, ...others] = stay
    if (first === undefined) throw new Error('nobody stays')
    await first.leave(replicas[1])
    const sent = await until(() => events.sent(first.delayId), 9_000)
    expect(sent.by).toBe('service')
    for (const { delayId } of others) expect(events.sent(delayId)).toBeUndefined()
    for (const each of replicas) await stopCalmly(each)
  })
})
