import { afterEach, describe, expect, test } from 'bun:test'
import { openRedisStore } from '../../src/delegation/store/redis-store.ts'
import type { Trouble } from '../../src/trouble.ts'
import { findClosedPort } from '../support/dead-end.ts'
import { leaving, NOW, waiting } from '../support/delegations.ts'
import { type RedisServerOptions, startRedisServer } from '../support/redis-server.ts'
import { everythingIn, read } from '../support/stores.ts'
import { until } from '../support/until.ts'

const toClose: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const resource of toClose.splice(0).reverse()) await resource.close()
})

async function startRedis(options?: RedisServerOptions) {
  const redis = await startRedisServer(options)
  toClose.push(redis)
  return redis
}

function shown(state: string, trouble: Trouble | undefined): string {
  return trouble === undefined ? state : `${state} ${trouble.code}: ${trouble.found}`
}

async function open(url: string) {
  const changes: string[] = []
  const wakes: string[] = []
  const store = await openRedisStore({
    url,
    now: () => NOW,
    newGeneration: () => 'adopted',
    onChange: (...change) => changes.push(shown(...change)),
    onWakeChange: (...change) => wakes.push(shown(...change)),
  })
  toClose.push(store)
  return { store, changes, wakes }
}

describe('a primary that has become a replica', () => {
  test('is left, and the new primary is used within 2 s', async () => {
    const [redis, primary] = [await startRedis(), await startRedis()]
    const { store, changes } = await open(redis.url)
    await store.put(waiting())
    await primary.run('REPLICAOF', '127.0.0.1', String(redis.port))
    await redis.run('REPLICAOF', '127.0.0.1', String(primary.port))
    await expect(store.put(waiting())).rejects.toThrow(
      /state store: Redis: (?:READONLY|MASTERDOWN)/,
    )
    await until(() => changes.length >= 2)
    expect(changes[1]).toMatch(
      /^away store\.redis-not-primary: Redis: (?:READONLY|MASTERDOWN|LOADING)/,
    )
    await redis.run('REPLICAOF', 'NO', 'ONE')
    const isPrimaryAt = performance.now()
    await until(() => changes.at(-1) === 'connected')
    await store.put(waiting({ generation: 'g2' }))
    expect(performance.now() - isPrimaryAt).toBeLessThan(2_000)
  })
})

describe('a user without the right to the channel', () => {
  test('can still store, gets one warning, and wakes its own worker', async () => {
    const redis = await startRedis()
    const rights = ['on', '>pw', '~lk-jwt:*', '+@all', 'resetchannels']
    await redis.run('ACL', 'SETUSER', 'limited', ...rights)
    const { store, changes, wakes } = await open(`redis://limited:pw@127.0.0.1:${redis.port}`)
    expect(changes).toEqual(['connected'])
    expect(wakes).toEqual(['away store.redis-rights: Redis: NOPERM'])
    const woken: unknown[] = []
    store.onWake((key) => woken.push(key))
    expect(await store.put(waiting())).toBe('stored')
    const { room, identity } = waiting()
    expect(woken).toEqual([{ room, identity }])
    expect(await store.replace(await read(store, waiting()), leaving(), 'wake')).toBe(true)
    expect(woken).toHaveLength(2)
    await Bun.sleep(300)
    expect(wakes).toEqual(['away store.redis-rights: Redis: NOPERM'])
  })
})

describe('a cluster of one shard', () => {
  test('does all that a single server does', async () => {
    const busPort = String(await findClosedPort())
    const redis = await startRedis({
      args: ['--cluster-enabled', 'yes', '--cluster-port', busPort],
    })
    await redis.run('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
    await until(async () => String(await redis.run('CLUSTER', 'INFO')).includes('cluster_state:ok'))
    const { store, changes, wakes } = await open(redis.url)
    expect([changes, wakes]).toEqual([['connected'], ['connected']])
    expect(await store.put(waiting(), { perUser: 1, perServer: 1 })).toBe('stored')
    expect(await store.put(waiting({ identity: 'b' }), { perUser: 1, perServer: 1 })).toBe(
      'user-full',
    )
    expect(await store.findInRoom('room')).toHaveLength(1)
    const { claimed } = await store.claimDue(NOW * 2, 10, 10_000)
    expect(claimed).toHaveLength(1)
    await store.postpone(await read(store, waiting()), NOW)
    expect(await store.heartbeat()).toMatchObject({ hasKeptData: true, needsMending: true })
    expect(await store.mend()).toEqual({ indexed: 0, adopted: 0, removed: 0 })
    expect(await store.replace(await read(store, waiting()), leaving(), 'wake')).toBe(true)
    expect(await store.restore(leaving({ deadlineAt: NOW + 50_000 }))).toBe(true)
    expect(await store.replace(await read(store, leaving()), undefined, 'quiet')).toBe(true)
    expect(await everythingIn(store)).toEqual([])
  })
})
