import { expect, test } from 'bun:test'
import { connected, NOW } from '../support/delegations.ts'
import { until } from '../support/until.ts'
import { createWorkerStage } from '../support/worker-stage.ts'

const DUE = { restartAt: NOW, checkAt: NOW + 20_000 }

function many(count: number, name: string): string[] {
  return Array.from({ length: count }, (_, index) => `${name} ${index}`)
}

async function pauseFor(ms: number): Promise<void> {
  await Bun.sleep(ms)
}

test('a homeserver that never answers does not hold up the others', async () => {
  await using stage = createWorkerStage()
  const { effects } = stage
  effects.respond(({ action, serverName }) => {
    if (action === 'check-presence') return { type: 'present', participantId: 'PA_1' }
    return serverName === 'dead.test' ? 'hold' : { type: 'restarted', at: NOW }
  })
  for (const identity of many(300, 'dead')) {
    await stage.store.put(
      connected({ ...DUE, identity, serverName: 'dead.test', restartAt: NOW - 1 }),
    )
  }
  for (const identity of many(100, 'alive')) await stage.store.put(connected({ ...DUE, identity }))
  const start = performance.now()
  stage.worker.start()
  const restartsOf = (name: string) =>
    effects.callsOf('restart').filter(({ serverName }) => serverName === name)
  await until(() => {
    stage.pass(10)
    return restartsOf('example.org').length === 100
  })
  expect(performance.now() - start).toBeLessThan(1_500)
  expect(restartsOf('dead.test')).toHaveLength(8)

  for (const call of restartsOf('dead.test'))
    call.answer({ type: 'attempt-failed', answered: false })
  stage.pass(15_000)
  await until(() => restartsOf('dead.test').length === 12)
  await pauseFor(50)
  expect(restartsOf('dead.test')).toHaveLength(12)
})

test('an SFU that never answers does not keep events from being restarted', async () => {
  await using stage = createWorkerStage()
  stage.effects.respond(({ action }) =>
    action === 'check-presence' ? 'hold' : { type: 'restarted', at: NOW + 14_000 },
  )
  for (const identity of many(300, 'it')) {
    await stage.store.put(connected({ identity, checkAt: NOW, restartAt: NOW + 14_000 }))
  }
  stage.worker.start()
  await until(() => stage.effects.callsOf('check-presence').length === 8)
  const withoutCheck = 300 - 8
  stage.pass(14_000)
  const restarted = () => new Set(stage.effects.callsOf('restart').map(({ identity }) => identity))
  await until(() => {
    stage.pass(10)
    return restarted().size >= withoutCheck
  })
  expect(stage.now()).toBeLessThan(NOW + 18_000)
  expect(stage.effects.callsOf('check-presence')).toHaveLength(8)
})

test.concurrent('at most 24 actions are under way at unproven servers, and all get their turn', async () => {
  await using stage = createWorkerStage()
  const { effects } = stage
  effects.respond(({ action }) => (action === 'restart' ? 'hold' : { type: 'present' }))
  for (const [index, identity] of many(300, 'it').entries()) {
    const serverName = `server-${index}.test`
    await stage.store.put(connected({ ...DUE, identity, serverName }))
  }
  stage.worker.start()
  await until(() => effects.underWay() === 24)
  stage.store.claims = 0
  await pauseFor(500)
  expect(effects.underWay()).toBe(24)
  expect(stage.store.claims).toBeLessThanOrEqual(110)

  effects.respond(({ action }) =>
    action === 'restart' ? { type: 'restarted', at: stage.now() } : { type: 'present' },
  )
  for (const call of effects.calls) call.answer({ type: 'restarted', at: stage.now() })
  await until(() => {
    stage.pass(10)
    return new Set(effects.callsOf('restart').map(({ identity }) => identity)).size === 300
  })
})

test.concurrent('an idle worker polls twice a second', async () => {
  await using stage = createWorkerStage()
  stage.worker.start()
  await until(() => stage.store.claims > 0)
  stage.store.claims = 0
  await pauseFor(1_100)
  expect(stage.store.claims).toBeGreaterThanOrEqual(1)
  expect(stage.store.claims).toBeLessThanOrEqual(3)
})

test.concurrent('a delegation that is always due does not cause a busy loop', async () => {
  await using stage = createWorkerStage()
  stage.effects.respond(({ action, answer }) => {
    if (action === 'check-presence') return { type: 'present', participantId: 'PA_1' }
    setTimeout(() => answer({ type: 'restarted', at: NOW - 24_000 }), 20)
    return 'hold'
  })
  await stage.store.put(connected(DUE))
  stage.worker.start()
  await until(() => stage.effects.callsOf('restart').length > 0)
  stage.store.claims = 0
  await pauseFor(500)
  expect(stage.store.claims).toBeLessThanOrEqual(80)
})

test.concurrent('a delegation that cannot be claimed does not cause a busy loop', async () => {
  await using stage = createWorkerStage()
  stage.effects.respond(({ action }) =>
    action === 'restart' ? 'hold' : { type: 'present', participantId: 'PA_1' },
  )
  for (const identity of many(9, 'it')) await stage.store.put(connected({ ...DUE, identity }))
  stage.worker.start()
  await until(() => stage.effects.callsOf('restart').length === 8)
  await pauseFor(50)
  stage.store.claims = 0
  await pauseFor(500)
  expect(stage.store.claims).toBeLessThanOrEqual(110)
})

test.concurrent('a lease is renewed during a long action, and otherwise runs out', async () => {
  await using stage = createWorkerStage({ now: Date.now })
  stage.effects.respond(({ action }) => (action === 'restart' ? 'hold' : { type: 'present' }))
  const now = Date.now()
  const times = { acceptedAt: now, connectedAt: now, restartAt: now, checkAt: now + 60_000 }
  await stage.store.put(connected({ ...times, delayMs: 10_000, deadlineAt: now + 60_000 }))
  stage.worker.start()
  await until(() => stage.effects.callsOf('restart').length === 1)
  const end = performance.now() + 700
  while (performance.now() < end) {
    expect((await stage.store.claimDue(Date.now(), 10, 10_000)).claimed).toEqual([])
    await Bun.sleep(10)
  }
  expect(stage.effects.callsOf('restart')).toHaveLength(1)
})
