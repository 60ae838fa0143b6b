import { afterEach, beforeEach, expect, setDefaultTimeout, test } from 'bun:test'
import type { Answer } from '../support/misbehaviour.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { until } from '../support/until.ts'
import { createCaller } from './support/caller.ts'
import { type Stage, startStage, stopCalmly } from './support/stage.ts'

setDefaultTimeout(120_000)

const HOUR_MS = 3_600_000
const HANG: Answer = { kind: 'hang' }
let redis: RedisServer
let stage: Stage

beforeEach(async () => {
  redis = await startRedisServer()
  stage = await startStage({ LIVEKIT_REDIS_URL: redis.url })
})
afterEach(async () => {
  await stage[Symbol.asyncDispose]()
  await redis.close()
})

/** One replica is sending and gets no answer; another one is there. */
async function startSending(delayMs: number) {
  const caller = createCaller({ home: stage, sfu: stage.sfu, delayMs })
  const acting = await stage.start()
  await caller.delegate(acting)
  await caller.join(acting)
  await until(() => stage.events.restarts(caller.delayId).length === 1, 6_000)
  const { events } = stage
  events.handle((_, carryOut) => (events.calls('send').length === 1 ? HANG : carryOut()))
  await caller.leave(acting)
  await until(() => events.calls('send').length === 1, 6_000)
  return { caller, acting, idle: await stage.start() }
}

test('a replica that is stopped while it sends hands over at once', async () => {
  const { caller, acting, idle } = await startSending(HOUR_MS)
  const stoppedAt = Date.now()
  await stopCalmly(acting)

  // A lease of such a delay would last 10 s.
  const sent = await until(() => stage.events.sent(caller.delayId), 24_000)
  expect(sent.by).toBe('service')
  expect(sent.at - stoppedAt).toBeLessThan(5_000)
  await until(() => idle.output().includes('"cause":"sent"'), 3_000)
  await stopCalmly(idle)
})

test('a replica that is killed while it sends is replaced when its lease has run out', async () => {
  const { caller, acting, idle } = await startSending(20_000)
  const killedAt = Date.now()
  await acting.kill()

  const sent = await until(() => stage.events.sent(caller.delayId), 24_000)
  expect(sent.by).toBe('service')
  expect(sent.at - killedAt).toBeLessThan(4_000)
  await stopCalmly(idle)
})

test('replicas that are stopped during a restart lose nobody', async () => {
  const { events } = stage
  const caller = createCaller({ home: stage, sfu: stage.sfu, delayMs: HOUR_MS })
  const acting = await stage.start()
  await caller.delegate(acting)
  events.handle((_, carryOut) => (events.calls('restart').length === 1 ? HANG : carryOut()))
  await caller.join(acting)
  await until(() => events.calls('restart').length === 1, 6_000)
  const idle = await stage.start()
  await stopCalmly(acting)

  await until(() => events.restarts(caller.delayId).length === 1, 3_000)
  expect(events.calls('send')).toEqual([])
  await stopCalmly(idle)
})
