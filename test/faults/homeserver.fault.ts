import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { startHomeserver } from '../support/homeserver.ts'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'
import { type Caller, createCaller } from './support/caller.ts'
import { type Stage, startStage, stopCalmly } from './support/stage.ts'

setDefaultTimeout(120_000)

const LIMITED = { errcode: 'M_LIMIT_EXCEEDED', error: 'Too many requests' }
const AWAY: readonly { readonly name: string; readonly answer: Answer }[] = [
  { name: 'hangs', answer: { kind: 'hang' } },
  { name: 'closes connections', answer: { kind: 'close' } },
  { name: 'answers 500', answer: reply(500, { errcode: 'M_UNKNOWN', error: 'Broken' }) },
  { name: 'answers 502 in HTML', answer: reply(502, '<h1>Bad Gateway</h1>') },
  { name: 'asks to come later', answer: reply(429, LIMITED, { 'retry-after': '1' }) },
]

function call(stage: Stage, delayMs: number, home = stage.other): Caller {
  return createCaller({ home, sfu: stage.sfu, delayMs })
}

describe('a homeserver that is away', () => {
  test.concurrent.each(AWAY)(
    'and $name, but is back in time, has its events restarted and sent',
    async ({ answer }) => {
      await using stage = await startStage()
      const { events } = stage
      const service = await stage.start()
      const caller = call(stage, 30_000, stage)
      await caller.delegate(service)

      events.handle(() => answer)
      await caller.join(service)
      await until(() => events.calls('restart').length === 1, 6_000)
      events.handle()
      const back = Date.now()
      await until(() => events.restarts(caller.delayId).length === 1, 24_000)
      // A request that hangs is given up after 5 s; then comes the first wait.
      expect((events.restarts(caller.delayId)[0] ?? 0) - back).toBeLessThan(10_000)

      events.handle(() => answer)
      await caller.leave(service)
      await until(() => events.calls('send').length === 1, 6_000)
      events.handle()
      const sent = await until(() => events.sent(caller.delayId), 24_000)
      expect(sent.by).toBe('service')
      await until(() => service.output().includes('"cause":"sent"'), 3_000)
      await stopCalmly(service)
    },
  )

  test.concurrent('and sends Retry-After is not asked until then', async () => {
    await using stage = await startStage()
    const { events } = stage
    const service = await stage.start()
    const caller = call(stage, 30_000, stage)
    await caller.delegate(service)
    events.handle((_, carryOut) =>
      events.calls('restart').length === 1
        ? reply(429, LIMITED, { 'retry-after': '3' })
        : carryOut(),
    )
    await caller.join(service)
    await until(() => events.restarts(caller.delayId).length === 1, 24_000)
    const [first, second] = events.calls('restart')
    const waitedMs = (second?.at ?? 0) - (first?.at ?? 0)
    expect(waitedMs).toBeGreaterThanOrEqual(3_000)
    expect(waitedMs).toBeLessThan(6_000)
    await stopCalmly(service)
  })

  test.concurrent.each(AWAY)(
    'and $name until after the deadline is not asked any more',
    async ({ answer }) => {
      await using stage = await startStage()
      const { events } = stage
      const service = await stage.start()
      const connected = call(stage, 4_000, stage)
      const leaving = call(stage, 4_000, stage)
      for (const caller of [connected, leaving]) {
        await caller.delegate(service)
        await caller.join(service)
        await until(() => events.restarts(caller.delayId).length === 1, 6_000)
      }
      events.handle(() => answer)
      await leaving.leave(service)

      await until(() => service.output().includes('"cause":"out of time"'), 45_000)
      const cause = 'the deadline passed without a successful restart'
      await until(() => service.output().includes(cause), 45_000)
      events.handle()
      const calls = events.calls('restart').length + events.calls('send').length
      // Anything left of them would be due by now.
      await Bun.sleep(3_000)
      expect(events.calls('restart').length + events.calls('send').length).toBe(calls)
      expect(events.sent(leaving.delayId)?.by).toBe('timer')
      expect(events.sent(connected.delayId)?.by).toBe('timer')
      await stopCalmly(service)
    },
  )

  test.concurrent('briefly before the deadline is asked again in time', async () => {
    await using stage = await startStage()
    const { events } = stage
    const service = await stage.start()
    const caller = call(stage, 7_000, stage)
    await caller.delegate(service)
    await caller.join(service)
    await until(() => events.restarts(caller.delayId).length === 1, 6_000)
    // The fifth of the delay that is left is less than the first wait may be.
    events.handle((_, carryOut) =>
      events.calls('restart').length === 2 ? reply(503, 'Not now') : carryOut(),
    )
    await until(() => events.restarts(caller.delayId).length === 2, 24_000)
    expect(events.sent(caller.delayId)).toBeUndefined()
    await stopCalmly(service)
  })

  test.concurrent('as a closed port, and back at the same address, has its events sent', async () => {
    await using stage = await startStage()
    const { server, events } = stage
    const service = await stage.start()
    const caller = call(stage, 30_000, stage)
    await caller.delegate(service)
    await caller.join(service)
    await until(() => events.restarts(caller.delayId).length === 1, 6_000)
    await server.close()
    await caller.leave(service)
    await Bun.sleep(500)

    await using again = await startHomeserver({ serverName: 'example.com', port: server.port })
    again.scheduleDelayedEvent(caller.delayId)
    const [sent] = await until(() => {
      return again.delayedEventCalls.length > 0 && again.delayedEventCalls
    }, 24_000)
    expect(sent).toMatchObject({ delayId: caller.delayId, action: 'send' })
    await until(() => service.output().includes('"cause":"sent"'), 3_000)
    await stopCalmly(service)
  })
})

test('a homeserver that hangs does not hold up the events of another', async () => {
  await using stage = await startStage()
  const service = await stage.start()
  stage.other.events.handle(() => ({ kind: 'hang' }))
  const stuck = Array.from({ length: 200 }, () => call(stage, 30_000))
  for (const caller of stuck) {
    expect((await caller.delegate(service)).status).toBe(200)
    await caller.join(service)
  }
  await until(() => stage.other.events.calls('restart').length >= 8, 6_000)

  const tookMs: number[] = []
  for (let i = 0; i < 20; i++) {
    const caller = call(stage, 30_000, stage)
    await caller.delegate(service)
    const joinedAt = Date.now()
    await caller.join(service)
    await until(() => stage.events.restarts(caller.delayId).length === 1)
    tookMs.push((stage.events.restarts(caller.delayId)[0] ?? 0) - joinedAt)
    const leftAt = Date.now()
    await caller.leave(service)
    const sent = await until(() => stage.events.sent(caller.delayId))
    tookMs.push(sent.at - leftAt)
  }
  expect(Math.max(...tookMs)).toBeLessThan(2_000)
  expect(stage.other.events.calls('send')).toEqual([])
  await stopCalmly(service)
})
