import { expect, test } from 'bun:test'
import { connected, NOW, waiting } from '../support/delegations.ts'
import { until } from '../support/until.ts'
import { createWorkerStage, type WorkerStage } from '../support/worker-stage.ts'

const DUE = connected({ identity: 'alice', restartAt: NOW, checkAt: NOW + 20_000 })

const LEFT = {
  type: 'left',
  cause: 'participant_left',
  participantId: 'PA_1',
  onPurpose: true,
  replaced: false,
} as const

/** Holds back the results of non-empty claims until the second function is called. */
function delayClaims({ store }: WorkerStage) {
  const claimed = Promise.withResolvers<void>()
  const answered = Promise.withResolvers<void>()
  const claimDue = store.claimDue.bind(store)
  store.claimDue = async (...args) => {
    const claim = await claimDue(...args)
    if (claim.claimed.length === 0) return claim
    claimed.resolve()
    await answered.promise
    return claim
  }
  return [claimed.promise, answered.resolve] as const
}

test.concurrent('aborts what a new delegation replaces during a claim', async () => {
  await using stage = createWorkerStage()
  const [claimed, answer] = delayClaims(stage)
  stage.effects.respond(() => 'hold')
  await stage.store.put(DUE)
  stage.worker.start()
  await claimed
  await stage.store.put(waiting({ identity: 'alice', generation: 'g2' }))
  answer()
  const restart = await until(() => stage.effects.callsOf('restart')[0])
  expect(restart.generation).toBe('g1')
  await until(() => restart.signal.aborted)
  expect(await stage.find()).toMatchObject({ generation: 'g2', state: 'waiting' })
})

test.concurrent('aborts what a departure ends during a claim, and sends the leave', async () => {
  await using stage = createWorkerStage()
  const [claimed, answer] = delayClaims(stage)
  stage.effects.respond(({ action }) => (action === 'restart' ? 'hold' : { type: 'sent' }))
  await stage.store.put(DUE)
  stage.worker.start()
  await claimed
  await stage.delegations.report({ room: 'room', identity: 'alice', signal: LEFT })
  answer()
  const restart = await until(() => stage.effects.callsOf('restart')[0])
  await until(() => restart.signal.aborted)
  await until(() => stage.transitions.includes('alice: leaving → finished'))
})

test.concurrent('a change of another delegation during a claim aborts nothing', async () => {
  await using stage = createWorkerStage()
  const [claimed, answer] = delayClaims(stage)
  stage.effects.respond(() => 'hold')
  await stage.store.put(DUE)
  await stage.store.put(connected({ identity: 'bob' }))
  stage.worker.start()
  await claimed
  await stage.delegations.report({ room: 'room', identity: 'bob', signal: LEFT })
  answer()
  const restart = await until(() => stage.effects.callsOf('restart')[0])
  await until(() => stage.effects.callsOf('send').length === 1)
  expect(restart.signal.aborted).toBe(false)
})

/** A delegation whose restart was answered; the store holds the change back until released. */
async function answeredBeforeStop(stage: WorkerStage) {
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  stage.effects.respond(() => 'hold')
  await stage.store.put(DUE)
  const restart = await until(() => stage.effects.callsOf('restart')[0])
  const stored = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const replace = stage.store.replace.bind(stage.store)
  stage.store.replace = async (...args) => {
    reached.resolve()
    await stored.promise
    return replace(...args)
  }
  restart.answer({ type: 'restarted', at: NOW + 5 })
  await reached.promise
  return stored.resolve
}

test.concurrent('a worker that is stopped waits until what was answered before is stored', async () => {
  await using stage = createWorkerStage()
  const letStore = await answeredBeforeStop(stage)
  let stopped = false
  const stopping = stage.worker.stop().then(() => {
    stopped = true
  })
  await Bun.sleep(50)
  expect(stopped).toBe(false)
  letStore()
  await stopping
  expect(await stage.find()).toMatchObject({ deadlineAt: NOW + 30_005 })
})

test.concurrent('a worker that is stopped does not wait for ever for the store', async () => {
  await using stage = createWorkerStage()
  const letStore = await answeredBeforeStop(stage)
  const start = performance.now()
  await stage.worker.stop()
  expect(performance.now() - start).toBeWithin(900, 2_000)
  letStore()
})

test.concurrent('a worker that has not been started claims nothing', async () => {
  await using stage = createWorkerStage()
  await stage.store.put(DUE)
  stage.store.wake()
  await Bun.sleep(20)
  expect(stage.store.claims).toBe(0)
})
