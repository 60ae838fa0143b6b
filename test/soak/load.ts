import { findClosedPort } from '../support/dead-end.ts'
import type { ServiceProcess } from '../support/service-process.ts'
import type { Form } from './form.ts'
import { ask, type Ledger, liveAlone, liveAsMember } from './lives.ts'
import type { World } from './world.ts'

/** The lives that are under way, and what is done to the replica that does not stay. */
export interface Load {
  readonly ledger: Ledger
  readonly failures: readonly unknown[]
  /** Begins lives for so long, while one replica and Redis are taken away again and again. */
  run(durationMs: number, form: Pick<Form, 'restartEveryMs' | 'redisEveryMs'>): Promise<void>
  /** Waits until all lives are over; ends the replica, and gives its exit code. */
  end(): Promise<number>
}

const TURN_MS = 100
const REDIS_AWAY_MS = 1_000

/** Prepares load for the replica that stays, and for another. */
export async function startLoad(world: World, steady: ServiceProcess, form: Form): Promise<Load> {
  let restarted = await world.startReplica(await findClosedPort())
  const ledger: Ledger = {
    lives: 0,
    falseLeaves: 0,
    lateRestarts: 0,
    lost: 0,
    byTimer: 0,
    members: 0,
    notRemoved: 0,
    strangers: 0,
    strange: 0,
  }
  const scene = {
    world,
    form,
    ledger,
    busyMembers: new Set<number>(),
    pick: () => (Math.random() < 0.5 ? steady : restarted),
  }
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  let turns = 0

  function begin(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => void failures.push(error))
      .finally(() => underWay.delete(tracked))
    underWay.add(tracked)
  }

  function beginTurn(): void {
    if (turns % 2 === 0) begin(liveAlone(scene))
    if (turns % 4 === 1) begin(liveAsMember(scene))
    for (let i = 0; i < 3; i += 1) begin(ask(scene))
    turns += 1
  }

  async function replaceReplica(): Promise<void> {
    await (turns % 2 === 0 ? restarted.kill() : restarted.stop())
    restarted = await world.startReplica(await findClosedPort())
  }

  async function takeRedisAway(): Promise<void> {
    await world.redis.kill()
    await Bun.sleep(REDIS_AWAY_MS)
    await world.redis.start()
  }

  return {
    ledger,
    failures,
    async run(durationMs, { restartEveryMs, redisEveryMs }) {
      const startedAt = performance.now()
      let restartAt = startedAt + restartEveryMs
      let redisAt = startedAt + redisEveryMs
      while (performance.now() < startedAt + durationMs) {
        beginTurn()
        await Bun.sleep(TURN_MS)
        if (performance.now() > restartAt) {
          restartAt = performance.now() + restartEveryMs
          await replaceReplica()
        }
        if (performance.now() > redisAt) {
          redisAt = performance.now() + redisEveryMs
          await takeRedisAway()
        }
      }
      await Promise.all(underWay)
    },
    end: () => restarted.stop(),
  }
}
