import { expect, setDefaultTimeout, test } from 'bun:test'
import { until } from '../support/until.ts'
import { createCaller } from './support/caller.ts'
import { type RedisStage, startRedisStage } from './support/redis-stage.ts'
import { stopCalmly } from './support/stage.ts'

setDefaultTimeout(60_000)

test.concurrent.each<[string, (set: RedisStage) => unknown]>([
  ['is killed', ({ redis }) => redis.kill()],
  ['pauses', ({ redis }) => redis.run('CLIENT', 'PAUSE', '30000', 'ALL')],
  ['is cut off without a word', ({ proxy }) => proxy.goSilent()],
])('a service whose Redis %s during an action still shuts down cleanly', async (_, begin) => {
  await using set = await startRedisStage()
  const service = await set.start()
  set.events.handle(() => ({ kind: 'hang' }))
  const caller = createCaller({ home: set, sfu: set.sfu, delayMs: 20_000 })
  expect((await caller.delegate(service)).status).toBe(200)
  expect((await caller.join(service)).status).toBe(200)
  await until(() => set.events.calls('restart', caller.delayId).length > 0)
  await begin(set)
  await stopCalmly(service)
})
