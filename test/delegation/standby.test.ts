import { expect, test } from 'bun:test'
import type { Delegation } from '../../src/delegation/life/record.ts'
import { StoreUnavailable } from '../../src/delegation/store/store.ts'
import { connected, NOW, waiting } from '../support/delegations.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { everythingIn, openTestStore } from '../support/stores.ts'
import { until } from '../support/until.ts'
import { createWorkerStage, type WorkerStage } from '../support/worker-stage.ts'

/** A worker that has worked on a delegation, and then loses its store. */
async function loseStore(stage: WorkerStage, delegation: Delegation): Promise<void> {
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  await stage.store.put(delegation)
  stage.memory.remember(delegation)
  stage.store.failure = new StoreUnavailable('store.file-failed', 'gone')
  stage.pass(1_000)
  await until(() => stage.troubles.includes('the state store is away'))
}

const LATER = { checkAt: NOW + 60_000, deadlineAt: NOW + 25_000, restartAt: NOW + 19_000 }

test.concurrent('restarts from memory for many times the delay, and stores it afterwards', async () => {
  await using stage = createWorkerStage()
  await loseStore(stage, connected(LATER))
  for (let count = 1; count <= 6; count += 1) {
    stage.pass(count === 1 ? 20_000 : 24_500)
    await until(() => stage.effects.callsOf('restart').length === count)
    await until(() => stage.effects.underWay() === 0)
  }
  expect(stage.now()).toBeGreaterThan(NOW + 5 * 25_000)
  const deadlineAt = stage.now() + 30_000
  stage.store.failure = undefined
  await until(async () => (await stage.find('@alice:example.org:PHONE'))?.deadlineAt === deadlineAt)
  await until(() => stage.troubles.includes('the state store is back'))
  expect(stage.effects.callsOf('send')).toEqual([])
  expect(stage.transitions).toEqual([])
})

test.concurrent('counts a silent store as away after a second', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  await stage.store.put(connected(LATER))
  stage.memory.remember(connected(LATER))
  const silence = Promise.withResolvers<void>()
  stage.store.pause = silence.promise
  stage.pass(19_000)
  await Bun.sleep(500)
  expect(stage.effects.callsOf('restart')).toEqual([])
  await until(() => stage.effects.callsOf('restart').length === 1)
  silence.resolve()
})

test.concurrent('asks the SFU before each restart, and stops after two "absent"', async () => {
  await using stage = createWorkerStage()
  await loseStore(stage, connected(LATER))
  stage.effects.respond(({ action }) => {
    return action === 'check-presence' ? { type: 'absent' } : { type: 'restarted', at: stage.now() }
  })
  stage.pass(18_500)
  await until(() => stage.effects.callsOf('check-presence').length > 0)
  for (let step = 0; step < 30; step += 1) {
    stage.pass(2_000)
    await until(() => stage.effects.underWay() === 0)
    await Bun.sleep(2)
  }
  expect(stage.effects.callsOf('restart').length).toBeLessThanOrEqual(1)
  expect(stage.effects.callsOf('send')).toEqual([])
})

test.concurrent('restarts for whoever was expected and has come meanwhile', async () => {
  await using stage = createWorkerStage()
  await loseStore(stage, waiting({ checkAt: NOW + 1_500 }))
  stage.pass(1_000)
  await until(() => stage.effects.callsOf('check-presence').length > 0)
  stage.pass(10)
  await until(() => stage.effects.callsOf('restart').length === 1)
})

test.concurrent('ends at the deadline', async () => {
  await using stage = createWorkerStage()
  await loseStore(stage, connected(LATER))
  stage.effects.respond(({ action }) => {
    return action === 'check-presence'
      ? { type: 'present' }
      : { type: 'attempt-failed', answered: false }
  })
  for (let step = 0; step < 40; step += 1) {
    stage.pass(1_000)
    await until(() => stage.effects.underWay() === 0)
    await Bun.sleep(2)
  }
  const attempts = stage.effects.callsOf('restart').length
  expect(attempts).toBeGreaterThan(0)
  stage.pass(60_000)
  await Bun.sleep(20)
  expect(stage.effects.callsOf('restart')).toHaveLength(attempts)
})

test.concurrent('does not restore what has ended elsewhere meanwhile', async () => {
  await using stage = createWorkerStage()
  await loseStore(stage, connected(LATER))
  stage.pass(19_000)
  await until(() => stage.effects.callsOf('restart').length === 1)
  stage.store.failure = undefined
  const stored = await stage.store.find(connected())
  if (stored === undefined) throw new Error('it is not stored')
  await stage.store.replace(stored, undefined, 'quiet')
  await until(() => stage.troubles.includes('the state store is back'))
  await until(() => stage.memory.size === 0)
  expect(await everythingIn(stage.store)).toEqual([])
})

test.concurrent('refills a store that came back empty, and asks the SFU about everybody', async () => {
  const redis = await startRedisServer()
  try {
    const store = await openTestStore(redis.url)
    await using stage = createWorkerStage({ store, now: Date.now })
    stage.worker.start()
    await until(() => stage.store.claims > 0)
    const now = Date.now()
    const times = { acceptedAt: now, restartAt: now + 20_000, deadlineAt: now + 25_000 }
    for (const identity of ['alice', 'bob']) {
      const delegation = connected({ identity, ...times, checkAt: now + 20_000 })
      await stage.store.put(delegation)
      stage.memory.remember(delegation)
    }
    await redis.run('FLUSHALL')
    await until(() =>
      stage.mendings.some((mended) => 'restored' in mended && mended.restored === 2),
    )
    await until(() => stage.effects.callsOf('check-presence').length >= 2)
    expect(await everythingIn(stage.store)).toHaveLength(2)
    expect(await redis.run('GET', 'lk-jwt:schema')).toBe('2')
  } finally {
    await redis.close()
  }
})
