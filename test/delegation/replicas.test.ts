import { afterAll, afterEach, beforeAll, expect, test } from 'bun:test'
import { connected } from '../support/delegations.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { openTestStore } from '../support/stores.ts'
import { until } from '../support/until.ts'
import { createWorkerStage, type WorkerStage } from '../support/worker-stage.ts'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedisServer()
})
afterEach(() => redis.run('FLUSHALL'))
afterAll(() => redis.close())

async function startReplica(): Promise<WorkerStage> {
  const stage = createWorkerStage({ store: await openTestStore(redis.url), now: Date.now })
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  return stage
}

/** A delegation whose restart is due now, and whose presence check is not. */
function due(identity: string) {
  const now = Date.now()
  const times = { acceptedAt: now, connectedAt: now - 5_000, checkAt: now + 20_000 }
  return connected({ identity, ...times, restartAt: now, deadlineAt: now + 20_000 })
}

const LEFT = {
  type: 'left',
  cause: 'participant_left',
  participantId: 'PA_1',
  onPurpose: true,
  replaced: false,
} as const

function leave({ delegations }: WorkerStage, identity: string): Promise<void> {
  return delegations.report({ room: 'room', identity, signal: LEFT })
}

test('replicas share due delegations, and act on each once', async () => {
  await using one = await startReplica()
  await using two = await startReplica()
  const identities = Array.from({ length: 400 }, (_, index) => `identity ${index}`)
  await Promise.all(identities.map((identity) => one.store.put(due(identity))))
  const restarts = () =>
    [one, two].flatMap(({ effects }) => effects.callsOf('restart').map(({ identity }) => identity))
  await until(() => restarts().length >= 400)
  expect(restarts().toSorted()).toEqual(identities.toSorted())
  expect(one.effects.callsOf('restart').length).toBeGreaterThan(10)
  expect(two.effects.callsOf('restart').length).toBeGreaterThan(10)
})

test('a webhook at one replica takes effect at another within 100 ms', async () => {
  await using one = await startReplica()
  one.effects.respond(({ action }) => (action === 'restart' ? 'hold' : { type: 'sent' }))
  await one.store.put(due('alice'))
  const restart = await until(() => one.effects.callsOf('restart')[0])
  await using two = await startReplica()
  two.effects.respond(() => ({ type: 'sent' }))
  const sends = () => [one, two].flatMap(({ effects }) => effects.callsOf('send'))
  await leave(two, 'alice')
  const start = performance.now()
  await until(() => restart.signal.aborted && sends().length > 0)
  expect(performance.now() - start).toBeLessThan(100)
  await until(async () => (await one.find()) === undefined)
  expect(sends()).toHaveLength(1)
})

test('sends each leave once and at once, whichever replica gets the webhook', async () => {
  await using one = await startReplica()
  await using two = await startReplica()
  const identities = Array.from({ length: 200 }, (_, index) => `identity ${index}`)
  await Promise.all(identities.map((identity) => two.store.put(due(identity))))
  const callsOf = (action: 'restart' | 'send') =>
    [one, two].flatMap(({ effects }) => effects.callsOf(action).map(({ identity }) => identity))
  await until(() => new Set(callsOf('restart')).size === 200)
  const start = performance.now()
  await Promise.all(identities.map((identity, index) => leave(index % 2 ? one : two, identity)))
  await until(() => new Set(callsOf('send')).size === 200)
  expect(performance.now() - start).toBeLessThan(2_000)
  expect(callsOf('send').toSorted()).toEqual(identities.toSorted())
})

test('another replica takes over at once from a stopped one', async () => {
  await using two = await startReplica()
  const one = await startReplica()
  two.effects.respond(({ action }) =>
    action === 'restart' ? { type: 'restarted', at: Date.now() } : { type: 'present' },
  )
  one.effects.respond(() => 'hold')
  two.store.failure = new Error('two does not look yet')
  await one.store.put(due('alice'))
  await until(() => one.effects.callsOf('restart').length === 1)
  two.store.failure = undefined
  await until(() => two.store.claims > 1)
  const start = performance.now()
  await one.worker.stop()
  await until(() => two.effects.callsOf('restart').length === 1)
  expect(performance.now() - start).toBeLessThan(700)
  await one.store.close()
})
