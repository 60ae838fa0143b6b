import { expect, test } from 'bun:test'
import { startRedisServer } from '../support/redis-server.ts'
import { play } from './chaos/run.ts'
import { startStage } from './support/stage.ts'

const scenes = [
  {
    name: 'two replicas, one of them alive at all times',
    scene: {
      replicas: 2,
      maxAway: 1,
      lives: 520,
      minDelayMs: 4_000,
      maxDelayMs: 20_000,
      seed: 1,
    },
  },
  {
    name: 'three replicas, all of them away at times',
    scene: {
      replicas: 3,
      maxAway: 3,
      lives: 520,
      minDelayMs: 12_000,
      maxDelayMs: 20_000,
      seed: 2,
    },
  },
] as const

test.each(scenes)(
  'with $name, announces everybody who left, and nobody who is present',
  async ({ name, scene }) => {
    const redis = await startRedisServer()
    const stage = await startStage({ LIVEKIT_REDIS_URL: redis.url })
    try {
      const { wronged, faults, figures } = await play(scene, stage, redis)
      process.stdout.write(`${name}: ${JSON.stringify(figures)}\n`)
      expect(wronged).toEqual([])
      expect(faults).toEqual([])
    } finally {
      await stage[Symbol.asyncDispose]()
      await redis.close()
    }
  },
  280_000,
)
