import { afterEach, expect, test } from 'bun:test'
import type { ParticipantKey } from '../../src/delegation/life/record.ts'
import { openRedisStore } from '../../src/delegation/store/redis-store.ts'
import { startSilentListener } from '../support/dead-end.ts'
import { leaving, NOW, waiting } from '../support/delegations.ts'
import { createRedisServer } from '../support/redis-server.ts'
import { runScript } from '../support/script-process.ts'
import { read } from '../support/stores.ts'
import { until } from '../support/until.ts'

const toClose: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const resource of toClose.splice(0).reverse()) await resource.close()
})

async function createRedis() {
  const redis = await createRedisServer()
  toClose.push(redis)
  return redis
}

async function open(url: string, timeoutMs = 300) {
  const changes: boolean[] = []
  const woken: (ParticipantKey | undefined)[] = []
  const store = await openRedisStore({
    url,
    timeoutMs,
    now: () => NOW,
    newGeneration: () => 'adopted',
    onChange: (state) => changes.push(state === 'connected'),
  })
  toClose.push(store)
  store.onWake((key) => woken.push(key))
  return { store, changes, woken }
}

type Opened = Awaited<ReturnType<typeof open>>

async function worksAgain({ store, woken }: Opened): Promise<void> {
  woken.length = 0
  await store.put(waiting({ identity: 'again' }))
  await until(() => woken.some((key) => key?.identity === 'again'))
  expect((await store.claimDue(NOW * 2, 10, 1_000)).claimed.length).toBeGreaterThan(0)
}

async function timeOf(work: Promise<unknown>): Promise<number> {
  const start = performance.now()
  await expect(work).rejects.toThrow('state store: ')
  return performance.now() - start
}

test('connects to a Redis that starts later', async () => {
  const redis = await createRedis()
  const opened = await open(redis.url)
  expect(opened.changes).toEqual([false])
  expect(await timeOf(opened.store.put(waiting()))).toBeLessThan(100)
  await redis.start()
  await until(() => opened.changes.at(-1))
  await until(() => opened.woken.includes(undefined))
  await worksAgain(opened)
})

test('reconnects to a Redis that is killed and started again', async () => {
  const redis = await createRedis()
  await redis.start()
  const opened = await open(redis.url)
  await opened.store.put(waiting())
  await redis.kill()
  await until(() => opened.changes.at(-1) === false)
  expect(await timeOf(opened.store.find(waiting()))).toBeLessThan(100)
  await redis.start()
  await until(() => opened.changes.at(-1) === true)
  await until(() => opened.woken.includes(undefined))
  expect(await redis.run('GET', 'lk-jwt:schema')).toBe('2')
  await worksAgain(opened)
  expect(opened.changes).toEqual([true, false, true])
})

test('a Redis that stops answering makes the store unavailable within the timeout', async () => {
  const redis = await createRedis()
  await redis.start()
  const opened = await open(redis.url)
  await opened.store.put(waiting())
  await redis.run('CLIENT', 'PAUSE', '900', 'ALL')
  const tookMs = await timeOf(opened.store.find(waiting()))
  expect(tookMs).toBeGreaterThan(250)
  expect(tookMs).toBeLessThan(500)
  expect(await timeOf(opened.store.find(waiting()))).toBeLessThan(100)
  await until(() => opened.changes.at(-1) === true)
  expect((await read(opened.store, waiting())).delegation).toEqual(waiting())
  await worksAgain(opened)
})

test('a host that accepts connections but never answers does not block the start', async () => {
  await using silent = await startSilentListener()
  const start = performance.now()
  const { store, changes } = await open(`redis://127.0.0.1:${silent.port}`)
  expect(performance.now() - start).toBeLessThan(1_000)
  expect(changes).toEqual([false])
  await expect(store.heartbeat()).rejects.toThrow('state store: Redis is not connected')
})

test('reconnects killed connections and wakes the workers', async () => {
  const redis = await createRedis()
  await redis.start()
  const opened = await open(redis.url)
  await opened.store.put(waiting())
  for (const type of ['normal', 'pubsub']) {
    opened.woken.length = 0
    await redis.run('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
    if (type === 'normal') await until(() => opened.changes.length === 3)
    if (type === 'pubsub') await until(() => opened.woken.includes(undefined))
    await worksAgain(opened)
  }
  expect(opened.changes).toEqual([true, false, true])
})

test('a Redis that refuses writes makes the store unavailable, with the cause', async () => {
  const redis = await createRedis()
  await redis.start()
  const { store, changes } = await open(redis.url)
  await redis.run('CONFIG', 'SET', 'maxmemory', '1')
  await expect(store.put(waiting())).rejects.toMatchObject({
    trouble: { code: 'store.redis-full', found: 'Redis: OOM' },
  })
  await redis.run('CONFIG', 'SET', 'maxmemory', '0')
  await store.put(waiting())
  const old = await read(store, waiting())
  expect(await store.replace(old, leaving(), 'quiet')).toBe(true)
  expect(changes).toEqual([true])
})

test('leaves no rejection unhandled, and no process ends', async () => {
  const redis = await createRedis()
  const user = runScript(
    `import { openRedisStore } from '#src/delegation/store/redis-store.ts'
     process.on('unhandledRejection', (error) => process.stdout.write('UNHANDLED ' + error))
     process.on('uncaughtException', (error) => process.stdout.write('UNCAUGHT ' + error))
     const store = await openRedisStore({
       url: process.env.URL, now: () => 1, newGeneration: () => 'g', timeoutMs: 100,
       onChange: (state) => process.stdout.write(state === 'connected' ? 'up ' : 'down '),
     })
     process.on('SIGTERM', async () => {
       await store.close()
       clearInterval(timer)
     })
     const delegation = JSON.parse(process.env.DELEGATION)
     const works = [
       () => store.put(delegation), () => store.heartbeat(), () => store.findInRoom('room'),
       () => store.claimDue(1, 10, 1000), () => store.scan(async () => {}),
     ]
     const timer = setInterval(() => {
       for (const work of works) work().catch((error) => {
         if (error.name !== 'StoreUnavailable') process.stdout.write('WRONG ' + error)
       })
     }, 2)`,
    { URL: redis.url, DELEGATION: JSON.stringify(waiting()) },
  )
  toClose.push({ close: user.kill })
  const ups = (count: number) => () => user.output().split('up ').length > count
  await until(() => user.output() === 'down ')
  await redis.start()
  await until(ups(1))
  await redis.run('CLIENT', 'PAUSE', '250', 'ALL')
  await until(ups(2))
  await redis.kill()
  await until(() => user.output().endsWith('down '))
  await redis.start()
  await until(ups(3))
  for (const type of ['normal', 'pubsub', 'normal']) {
    await redis.run('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes')
    await Bun.sleep(20)
  }
  await redis.run('SCRIPT', 'FLUSH')
  await until(() => user.output().endsWith('up '))
  user.signal('SIGTERM')
  expect(await user.exited).toBe(0)
  expect(user.output()).toMatch(/^(down up )+$/)
})
