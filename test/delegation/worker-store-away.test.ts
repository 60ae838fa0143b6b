import { expect, test } from 'bun:test'
import { StoreUnavailable } from '../../src/delegation/store/store.ts'
import { connected, NOW } from '../support/delegations.ts'
import { until } from '../support/until.ts'
import { createWorkerStage } from '../support/worker-stage.ts'

const LEFT = {
  type: 'left',
  cause: 'participant_left',
  participantId: 'PA_1',
  onPurpose: true,
  replaced: false,
} as const

test.concurrent('logs once each that the store is away and back, and goes on', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  await stage.store.put(connected({ restartAt: NOW + 10_000, checkAt: NOW + 15_000 }))
  stage.store.failure = new StoreUnavailable('store.file-failed', 'gone')
  stage.store.claims = 0
  stage.pass(10_000)
  await until(() => stage.troubles.length > 0)
  await Bun.sleep(1_100)
  expect(stage.store.claims).toBeLessThanOrEqual(4)
  expect(stage.troubles).toEqual(['the state store is away'])
  expect(stage.effects.callsOf('restart')).toEqual([])
  stage.store.failure = undefined
  await until(() => stage.effects.callsOf('restart').length === 1)
  expect(stage.troubles).toEqual(['the state store is away', 'the state store is back'])
})

test.concurrent('refuses a webhook that cannot be applied, and asks the SFU later', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  await Bun.sleep(20)
  await stage.store.put(connected({ identity: 'alice', restartAt: NOW + 14_000 }))
  stage.effects.respond(({ action }) =>
    action === 'check-presence' ? { type: 'absent' } : { type: 'sent' },
  )
  stage.store.failure = new StoreUnavailable('store.file-failed', 'gone')
  const report = stage.delegations.report({ room: 'room', identity: 'alice', signal: LEFT })
  await expect(report).rejects.toThrow(StoreUnavailable)
  stage.pass(1_000)
  await until(() => stage.troubles.length === 1)
  stage.store.failure = undefined
  await until(() => stage.effects.callsOf('check-presence').length > 0)
  stage.pass(2_000)
  await until(() => stage.transitions.includes('alice: leaving → finished'))
  expect(stage.effects.callsOf('send')).toHaveLength(1)
})

test.concurrent('stores an answer late when the store is back', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  stage.effects.respond(() => 'hold')
  await stage.store.put(connected({ identity: 'alice', restartAt: NOW }))
  const restart = await until(() => stage.effects.callsOf('restart')[0])
  stage.store.failure = new StoreUnavailable('store.file-failed', 'gone')
  restart.answer({ type: 'restarted', at: NOW })
  await until(() => stage.effects.underWay() === 0)
  stage.store.failure = undefined
  stage.pass(1_300)
  await until(async () => (await stage.find())?.deadlineAt === NOW + 30_000)
  expect(stage.effects.callsOf('restart')).toHaveLength(1)
})

test.concurrent('logs an unexpected error, and goes on working', async () => {
  await using stage = createWorkerStage()
  stage.store.failure = new TypeError('a bug')
  stage.worker.start()
  await until(() => stage.troubles.length > 0)
  expect(stage.troubles).toContain('TypeError: a bug')
  stage.store.failure = undefined
  await stage.store.put(connected({ restartAt: NOW }))
  await until(() => stage.effects.callsOf('restart').length === 1)
})

test.concurrent('keeps sending heartbeats when the clock is set back by an hour', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  let beats = 0
  const heartbeat = stage.store.heartbeat.bind(stage.store)
  stage.store.heartbeat = () => {
    beats += 1
    return heartbeat()
  }
  stage.pass(-3_600_000)
  await until(() => beats === 1)
})
