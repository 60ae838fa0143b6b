import { pick } from '../../support/random.ts'
import type { RedisServer } from '../../support/redis-server.ts'
import type { ServiceProcess } from '../../support/service-process.ts'
import { type Stage, stopCalmly } from '../support/stage.ts'

/** A time during which no replica was alive, in milliseconds since the epoch. */
export interface Blackout {
  readonly from: number
  to: number
}

/** How replicas are killed and started. */
export interface ReplicasOptions {
  readonly stage: Stage
  readonly redis: RedisServer
  readonly count: number
  /** How many at most are away at a time. */
  readonly maxAway: number
  readonly random: () => number
}

/** Replicas that come and go. */
export interface Replicas {
  /** Address of one, alive or not. */
  anyUrl(random: () => number): string
  readonly blackouts: readonly Blackout[]
  /** Number of kills and starts. */
  readonly deeds: { kills: number; stops: number; redisCuts: number }
  /** Kills and starts replicas until `over` resolves; then all are running. */
  torment(over: Promise<unknown>): Promise<void>
  stop(): Promise<void>
}

const NOWHERE = 'http://127.0.0.1:1'

/** Starts replicas. */
export async function startReplicas(options: ReplicasOptions): Promise<Replicas> {
  const { stage, redis, count, maxAway, random } = options
  const running: (ServiceProcess | undefined)[] = []
  const blackouts: Blackout[] = []
  const deeds = { kills: 0, stops: 0, redisCuts: 0 }
  for (let i = 0; i < count; i++) running.push(await stage.start())

  function leave(place: number): ServiceProcess | undefined {
    const service = running[place]
    running[place] = undefined
    if (running.every((other) => other === undefined)) {
      blackouts.push({ from: Date.now(), to: Number.POSITIVE_INFINITY })
    }
    return service
  }

  async function comeBack(place: number): Promise<void> {
    running[place] = await stage.start()
    const last = blackouts.at(-1)
    if (last?.to === Number.POSITIVE_INFINITY) last.to = Date.now()
  }

  async function harm(place: number): Promise<void> {
    const gentle = random() < 0.4
    const service = leave(place)
    if (service === undefined) return
    deeds[gentle ? 'stops' : 'kills'] += 1
    await (gentle ? stopCalmly(service) : service.kill())
    await Bun.sleep(random() * 400)
    await comeBack(place)
  }

  async function cutRedis(): Promise<void> {
    deeds.redisCuts += 1
    await redis.run('CLIENT', 'KILL', 'TYPE', pick(random, 'normal', 'pubsub'), 'SKIPME', 'yes')
  }

  function victims(): number[] {
    const places = running.map((_, place) => place).sort(() => random() - 0.5)
    return places.slice(0, 1 + Math.floor(random() * maxAway))
  }

  return {
    anyUrl: (by) => running[Math.floor(by() * count)]?.url ?? NOWHERE,
    blackouts,
    deeds,
    async torment(over) {
      let ended = false
      const end = over.finally(() => {
        ended = true
      })
      while (!ended) {
        if (random() < 0.1) await cutRedis()
        else await Promise.all(victims().map(harm))
        await Promise.race([end, Bun.sleep(200 + random() * 1_000)])
      }
    },
    async stop() {
      for (const service of running) if (service !== undefined) await stopCalmly(service)
    },
  }
}
