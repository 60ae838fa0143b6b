import { expect, test } from 'bun:test'
import { type Answer, reply } from '../support/misbehaviour.ts'
import { until } from '../support/until.ts'
import { createCaller } from './support/caller.ts'
import { startStage, stopCalmly } from './support/stage.ts'

const CROWD = 300
const DELAY_MS = 20_000
const BROKEN = reply(500, { errcode: 'M_UNKNOWN', error: 'Broken' })

test.concurrent.each<{ readonly name: string; readonly answer: Answer }>([
  { name: 'fails', answer: BROKEN },
  { name: 'closes connections', answer: { kind: 'close' } },
])(
  'a homeserver that $name when many events are due, but is back in time, loses none',
  async ({ answer }) => {
    await using stage = await startStage()
    const { events, sfu } = stage
    const service = await stage.start()
    const crowd = Array.from({ length: CROWD }, () => {
      return createCaller({ home: stage, sfu, delayMs: DELAY_MS })
    })
    await Promise.all(crowd.map((caller) => caller.delegate(service)))
    await Promise.all(crowd.map((caller) => caller.join(service)))
    const restarted = (times: number) => {
      return crowd.filter(({ delayId }) => events.restarts(delayId).length >= times).length
    }
    await until(() => restarted(1) === CROWD, 30_000)

    events.handle(() => answer)
    const before = events.calls('restart').length
    await until(() => events.calls('restart').length > before, 3 * DELAY_MS)
    await Bun.sleep(1_500)
    events.handle()
    await until(() => restarted(2) === CROWD, 3 * DELAY_MS).catch(() => undefined)
    const lost = crowd.filter(({ delayId }) => events.sent(delayId) !== undefined)
    expect(lost.map(({ delayId }) => delayId)).toEqual([])
    expect(restarted(2)).toBe(CROWD)
    await stopCalmly(service)
  },
  90_000,
)
