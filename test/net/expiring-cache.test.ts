import { expect, test } from 'bun:test'
import { ExpiringCache } from '../../src/net/expiring-cache.ts'

function cacheOf(maxEntries: number) {
  const clock = { now: 0 }
  const cache = new ExpiringCache<string>({ maxEntries, now: () => clock.now })
  const loads: string[] = []
  return {
    cache,
    clock,
    loads,
    get: (key: string, ttlMs = 1000) =>
      cache.get(key, async (expired) => {
        loads.push(expired === undefined ? key : `${key} after ${expired}`)
        return { value: `${key}${loads.length}`, ttlMs }
      }),
  }
}

test('loads a value once until it expires, and tells the load what expired', async () => {
  const { get, clock, loads } = cacheOf(10)
  expect(await get('a')).toBe('a1')
  clock.now = 999
  expect(await get('a')).toBe('a1')
  clock.now = 1000
  expect(await get('a')).toBe('a2')
  expect(loads).toEqual(['a', 'a after a1'])
})

test('shares one load among those who ask at the same time', async () => {
  const { get, loads } = cacheOf(10)
  const asked = Array.from({ length: 5 }, () => get('a'))
  expect(await Promise.all(asked)).toEqual(['a1', 'a1', 'a1', 'a1', 'a1'])
  expect(loads).toEqual(['a'])
})

test('shares a load even of a value that is not kept, then loads again', async () => {
  const { get, cache } = cacheOf(10)
  expect(await Promise.all([get('a', 0), get('a', 0)])).toEqual(['a1', 'a1'])
  expect(cache.size).toBe(0)
  expect(await get('a', 0)).toBe('a2')
})

test('fails all who share a failed load, and does not keep the failure', async () => {
  const { cache, get } = cacheOf(10)
  const fail = () => Promise.reject(new Error('no luck'))
  const asked = [cache.get('a', fail), cache.get('a', fail)]
  for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected')
  expect(await get('a')).toBe('a1')
})

test('holds no more than so many values: the least recently used one makes room', async () => {
  const { cache, get, loads } = cacheOf(2)
  await get('a')
  await get('b')
  await get('a')
  await get('c')
  expect(cache.size).toBe(2)
  await get('a')
  expect(loads).toEqual(['a', 'b', 'c'])
  await get('b')
  expect(loads).toEqual(['a', 'b', 'c', 'b'])
})

test('stays within its bound whatever is asked', async () => {
  const { cache, get } = cacheOf(100)
  for (let n = 0; n < 1000; n += 1) await get(`key${n}`)
  expect(cache.size).toBe(100)
})

test('replaces a value of the same key without pushing out another', () => {
  const { cache, clock } = cacheOf(2)
  cache.put('a', '1', 1000)
  cache.put('b', '1', 1000)
  cache.put('a', '2', 1000)
  expect([cache.has('a'), cache.has('b'), cache.size]).toEqual([true, true, 2])
  clock.now = 1000
  expect([cache.has('a'), cache.has('b')]).toEqual([false, false])
})
