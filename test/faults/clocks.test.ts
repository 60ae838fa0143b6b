import { expect, setDefaultTimeout, test } from 'bun:test'
import { startTestApp } from '../support/app.ts'
import { createCaller } from './support/caller.ts'
import { eventually } from './support/eventually.ts'
import { startRedisStage } from './support/redis-stage.ts'

setDefaultTimeout(120_000)

const DELAY_MS = 5_000

test('replicas whose clocks differ by 10 s lose nothing', async () => {
  await using set = await startRedisStage()
  const { events, settings } = set
  const skews = [0, 10_000, -10_000]
  const apps = await Promise.all(
    skews.map((skew) => startTestApp({ env: settings, now: () => Date.now() + skew })),
  )
  try {
    const callers = apps.flatMap((app, index) => {
      return skews.map((_, offset) => ({
        caller: createCaller({ home: set, sfu: set.sfu, delayMs: DELAY_MS }),
        app,
        other: apps[(index + offset) % apps.length] ?? app,
      }))
    })
    for (const { caller, app, other } of callers) {
      expect((await caller.delegate(app)).status).toBe(200)
      expect((await caller.join(other)).status).toBe(200)
    }
    await Bun.sleep(3 * DELAY_MS)
    for (const { caller } of callers) {
      expect(events.sent(caller.delayId)).toBeUndefined()
      // One at once, and then every four seconds.
      expect(events.restarts(caller.delayId).length).toBeLessThanOrEqual(6)
    }
    for (const { caller, other } of callers) await caller.leave(other)
    for (const { caller } of callers) {
      expect((await eventually(3_000, () => events.sent(caller.delayId))).by).toBe('service')
    }
  } finally {
    for (const app of apps) await app.close()
  }
})

test('a step of the wall clock makes nothing due early or late', async () => {
  await using set = await startRedisStage()
  let step = 0
  await using app = await startTestApp({ env: set.settings, now: () => Date.now() + step })
  const caller = createCaller({ home: set, sfu: set.sfu, delayMs: DELAY_MS })
  await caller.delegate(app)
  await caller.join(app)
  for (const next of [3_600_000, -3_600_000]) {
    step = next
    await Bun.sleep(2 * DELAY_MS)
    expect(set.events.sent(caller.delayId)).toBeUndefined()
  }
  expect(set.events.restarts(caller.delayId).length).toBeLessThanOrEqual(7)
})
