import { createRandom } from '../../support/random.ts'
import type { RedisServer } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'
import type { Sent } from '../support/delayed-events.ts'
import type { Stage } from '../support/stage.ts'
import { live } from './life.ts'
import { startReplicas } from './replicas.ts'
import { type Ending, faultOf, summarize } from './verdict.ts'
import { createPostman } from './webhooks.ts'

/** One way in which replicas come and go while people live. */
export interface Scene {
  readonly replicas: number
  /** How many replicas at most are away at a time. */
  readonly maxAway: number
  readonly lives: number
  readonly minDelayMs: number
  readonly maxDelayMs: number
  readonly seed: number
}

/** Result of a scene. */
export interface Outcome {
  /** Events that were sent for somebody who was there, or about to come. */
  readonly wronged: readonly (Sent & { readonly delayId: string })[]
  /** Departures that were announced too late, or not at all. */
  readonly faults: readonly object[]
  readonly figures: Readonly<Record<string, number>>
}

const BEGIN_WITHIN_MS = 30_000
const LONGEST_WAIT_MS = 20_000

/** Plays a scene to its end, when nothing is left in the store. */
export async function play(scene: Scene, stage: Stage, redis: RedisServer): Promise<Outcome> {
  const { maxAway, seed } = scene
  const random = createRandom(seed)
  const replicas = await startReplicas({ stage, redis, count: scene.replicas, maxAway, random })
  const postman = createPostman(stage.sfu, replicas)
  const precious = new Set<string>()
  const world = { ...scene, stage, replicas, postman, precious }
  const wronged: (Sent & { delayId: string })[] = []
  stage.events.onSent((delayId, sent) => {
    if (precious.has(delayId)) wronged.push({ delayId, ...sent })
  })

  async function liveOne(index: number): Promise<Ending> {
    const own = createRandom(seed * 10_000 + index)
    await Bun.sleep(own() * BEGIN_WITHIN_MS)
    const life = await live(world, own)
    const announced = until(() => stage.events.sent(life.caller.delayId), 3 * LONGEST_WAIT_MS)
    return { life, sent: await announced.catch(() => undefined) }
  }

  const lives = Promise.all(Array.from({ length: scene.lives }, (_, index) => liveOne(index)))
  await replicas.torment(lives)
  const endings = await lives
  await postman.finish()
  await until(async () => (await redis.run('HLEN', 'lk-jwt:jobs')) === 0, 60_000)
  await replicas.stop()

  const { blackouts, deeds } = replicas
  const longestBlackoutMs = Math.max(0, ...blackouts.map(({ from, to }) => to - from))
  const dark = { blackouts: blackouts.length, longestBlackoutMs }
  return {
    wronged,
    faults: endings.flatMap((ending) => faultOf(ending, blackouts) ?? []),
    figures: { ...summarize(endings, blackouts), ...postman.counts, ...deeds, ...dark },
  }
}
