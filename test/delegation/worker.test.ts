import { expect, test } from 'bun:test'
import { StoreUnavailable } from '../../src/delegation/store/store.ts'
import { connected, NOW } from '../support/delegations.ts'
import { until } from '../support/until.ts'
import { createWorkerStage, delegated, type WorkerStage } from '../support/worker-stage.ts'

const LEFT = {
  type: 'left',
  cause: 'participant_left',
  participantId: 'PA_1',
  happenedBy: NOW + 999,
  onPurpose: true,
  replaced: false,
} as const

function leave({ delegations }: WorkerStage, identity = 'alice'): Promise<void> {
  return delegations.report({ room: 'room', identity, signal: LEFT })
}

/** A connected participant whose event is being restarted. */
async function connect(stage: WorkerStage, identity = 'alice'): Promise<void> {
  const signal = { type: 'joined', cause: 'participant_joined', participantId: 'PA_1' } as const
  await stage.delegations.delegate(delegated(identity))
  await stage.delegations.report({ room: 'room', identity, signal })
}

/** A delegation whose restart is under way without an answer. */
async function connectAndHold(stage: WorkerStage) {
  stage.effects.respond(({ action }) => (action === 'restart' ? 'hold' : { type: 'sent' }))
  await connect(stage)
  return until(() => stage.effects.callsOf('restart')[0])
}

test.concurrent('a life: polled, found present, restarted at once and every 24 s, then sent', async () => {
  await using stage = createWorkerStage()
  const { effects } = stage
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  await stage.delegations.delegate(delegated())
  stage.pass(999)
  await Bun.sleep(20)
  expect(effects.calls).toEqual([])
  stage.pass(1)
  await until(() => effects.callsOf('restart').length === 1)
  await until(async () => (await stage.find())?.deadlineAt === NOW + 31_000)
  stage.pass(23_999)
  await Bun.sleep(20)
  expect(effects.callsOf('restart')).toHaveLength(1)
  stage.pass(1)
  await until(() => effects.callsOf('restart').length === 2)
  await leave(stage)
  await until(() => stage.transitions.length === 3)
  expect(effects.callsOf('send').map(({ identity }) => identity)).toEqual(['alice'])
  expect(await stage.find()).toBeUndefined()
  expect(stage.transitions).toEqual([
    'alice: waiting → connected',
    'alice: connected → leaving',
    'alice: leaving → finished',
  ])
  expect(stage.troubles).toEqual([])
})

test.concurrent('a webhook takes effect at once, whatever the worker is waiting for', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  await connect(stage)
  await until(() => stage.effects.callsOf('restart').length === 1)
  const start = performance.now()
  await leave(stage)
  await until(() => stage.effects.callsOf('send').length === 1)
  expect(performance.now() - start).toBeLessThan(100)
})

test.concurrent('a departure aborts the restart under way, and sends the leave', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  const restart = await connectAndHold(stage)
  expect(restart.signal.aborted).toBe(false)
  await leave(stage)
  await until(() => stage.effects.callsOf('send').length === 1)
  expect(restart.signal.aborted).toBe(true)
  await until(async () => (await stage.find()) === undefined)
  expect(stage.effects.callsOf('restart')).toHaveLength(1)
})

test.concurrent('a new delegation aborts what is under way for the earlier one, answered or not', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  const restart = await connectAndHold(stage)
  await stage.delegations.delegate(delegated())
  restart.answer({ type: 'event-gone' })
  await until(() => restart.signal.aborted && stage.effects.underWay() === 0)
  expect(await stage.find()).toMatchObject({ generation: 'generation-2', state: 'waiting' })
  expect(stage.transitions).toEqual(['alice: waiting → connected'])
})

test.concurrent('a wake for what is already under way does not abort it', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  const restart = await connectAndHold(stage)
  stage.store.wake({ room: 'room', identity: 'alice' })
  await Bun.sleep(20)
  expect(restart.signal.aborted).toBe(false)
  restart.answer({ type: 'restarted', at: stage.now() })
  await until(async () => (await stage.find())?.deadlineAt === NOW + 30_000)
})

test.concurrent('a duplicate webhook does not restart the event twice in parallel', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  const restart = await connectAndHold(stage)
  const signal = { type: 'joined', cause: 'participant_joined', participantId: 'PA_1' } as const
  await stage.delegations.report({ room: 'room', identity: 'alice', signal })
  await Bun.sleep(20)
  expect(restart.signal.aborted).toBe(false)
  expect(stage.effects.callsOf('restart')).toHaveLength(1)
})

test.concurrent('the end of a room affects everybody in it', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  for (const identity of ['alice', 'bob']) await connect(stage, identity)
  await until(() => stage.effects.callsOf('restart').length === 2)
  const signal = { type: 'room-finished', cause: 'room_finished', happenedBy: NOW + 5_000 } as const
  stage.effects.respond(({ action }) =>
    action === 'check-presence' ? { type: 'absent' } : { type: 'sent' },
  )
  stage.effects.calls.length = 0
  await stage.delegations.report({ room: 'room', identity: undefined, signal })
  const checked = () => stage.effects.callsOf('check-presence').map(({ identity }) => identity)
  await until(() => new Set(checked()).size === 2)
  expect(stage.effects.callsOf('send')).toEqual([])
  stage.pass(2_000)
  await until(() => stage.effects.callsOf('send').length === 2)
})

test.concurrent('another worker can claim at once what a stopped one had under way', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  const restart = await connectAndHold(stage)
  expect((await stage.store.claimDue(stage.now(), 10, 10_000)).claimed).toEqual([])
  await stage.worker.stop()
  expect(restart.signal.aborted).toBe(true)
  const { claimed } = await stage.store.claimDue(stage.now(), 10, 10_000)
  expect(claimed.map(({ delegation }) => delegation.identity)).toEqual(['alice'])
  expect(stage.transitions).toEqual(['alice: waiting → connected'])
})

test("a starting worker checks everybody's presence, alone or not", async () => {
  await using stage = createWorkerStage()
  const identities = Array.from({ length: 450 }, (_, index) => `identity ${index}`)
  for (const identity of identities) await stage.store.put(connected({ identity }))
  stage.effects.respond(({ identity }) =>
    identity === 'identity 7' ? { type: 'absent' } : { type: 'present', participantId: 'PA_1' },
  )
  stage.worker.start()
  await until(() => {
    stage.pass(5)
    return stage.effects.callsOf('check-presence').length >= 450
  })
  const checked = stage.effects.callsOf('check-presence').map(({ identity }) => identity)
  expect(checked.toSorted()).toEqual(identities.toSorted())
  stage.pass(2_000)
  await until(() => stage.transitions.includes('identity 7: connected → leaving'))
})

test("a worker whose store was away checks everybody's presence", async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  await until(() => stage.store.claims > 1)
  await stage.store.put(connected({ checkAt: NOW + 12_000 }))
  stage.pass(1_000)
  await Bun.sleep(50)
  expect(stage.effects.calls).toEqual([])
  stage.store.failure = new StoreUnavailable('store.file-failed', 'gone')
  stage.pass(1_000)
  await until(() => stage.troubles.length === 1)
  stage.store.failure = undefined
  stage.pass(1_000)
  await until(() => stage.effects.callsOf('check-presence').length === 1)
})
