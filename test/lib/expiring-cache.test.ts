import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { CancellationSignal } from '../../src/lib/cancellation.ts'
import { DeadlineExceeded } from '../../src/lib/deadline.ts'
import { ExpiringCache } from '../../src/lib/expiring-cache.ts'

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

test('loads a value once until it expires, and passes the expired one to the load', async () => {
  const { get, clock, loads } = cacheOf(10)
  expect(await get('a')).toBe('a1')
  clock.now = 999
  expect(await get('a')).toBe('a1')
  clock.now = 1000
  expect(await get('a')).toBe('a2')
  expect(loads).toEqual(['a', 'a after a1'])
})

test('evicts what was not used for longest, as a list in order of use does', async () => {
  const step = fc.tuple(
    fc.constantFrom('get', 'put', 'delete'),
    fc.constantFrom('a', 'b', 'c', 'd'),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { get, cache } = cacheOf(2)
      let used: string[] = []
      for (const [action, key] of steps) {
        used = used.filter((other) => other !== key)
        if (action !== 'delete') used = [...used, key].slice(-2)
        if (action === 'get') await get(key)
        if (action === 'put') cache.put(key, key, 1000)
        if (action === 'delete') cache.delete(key)
        expect(['a', 'b', 'c', 'd'].filter((name) => cache.has(name))).toEqual(used.toSorted())
      }
    }),
  )
})

test('shares one load among concurrent callers', async () => {
  const { get, loads } = cacheOf(10)
  const asked = Array.from({ length: 5 }, () => get('a'))
  expect(await Promise.all(asked)).toEqual(['a1', 'a1', 'a1', 'a1', 'a1'])
  expect(loads).toEqual(['a'])
})

test('shares a load even of a value that is not cached, then loads again', async () => {
  const { get, cache } = cacheOf(10)
  expect(await Promise.all([get('a', 0), get('a', 0)])).toEqual(['a1', 'a1'])
  expect(cache.size).toBe(0)
  expect(await get('a', 0)).toBe('a2')
})

test('rejects all callers of a failed load, and does not cache the failure', async () => {
  const { cache, get } = cacheOf(10)
  const fail = () => Promise.reject(new Error('no luck'))
  const asked = [cache.get('a', fail), cache.get('a', fail)]
  for (const { status } of await Promise.allSettled(asked)) expect(status).toBe('rejected')
  expect(await get('a')).toBe('a1')
})

test('evicts the least recently used value when it is full', async () => {
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

test('never exceeds its bound', async () => {
  const { cache, get } = cacheOf(100)
  for (let n = 0; n < 1000; n += 1) await get(`key${n}`)
  expect(cache.size).toBe(100)
})

test('replaces a value of the same key without evicting another', () => {
  const { cache, clock } = cacheOf(2)
  cache.put('a', '1', 1000)
  cache.put('b', '1', 1000)
  cache.put('a', '2', 1000)
  expect([cache.has('a'), cache.has('b'), cache.size]).toEqual([true, true, 2])
  clock.now = 1000
  expect([cache.has('a'), cache.has('b')]).toEqual([false, false])
})

/** A cache whose loads wait until they are released. */
function slowCache() {
  const { cache } = cacheOf(10)
  const loads: { readonly signal: CancellationSignal; finish(value: string): void }[] = []
  const load = (_: string | undefined, signal: CancellationSignal) => {
    const { promise, resolve } = Promise.withResolvers<{ value: string; ttlMs: number }>()
    loads.push({ signal, finish: (value) => resolve({ value, ttlMs: 1000 }) })
    return promise
  }
  const ask = () => {
    const caller = new AbortController()
    const value = cache.get('a', load, caller.signal).catch((reason) => reason)
    return { value, leave: (reason: unknown) => caller.abort(reason) }
  }
  return { cache, loads, load, ask }
}

test('aborts a shared load when its last caller hangs up', async () => {
  const { loads, ask } = slowCache()
  const first = ask()
  const second = ask()
  first.leave('gone')
  expect(await first.value).toBe('gone')
  expect(loads.map(({ signal }) => signal.aborted)).toEqual([false])
  second.leave('gone too')
  expect(await second.value).toBe('gone too')
  expect(loads.map(({ signal }) => signal.aborted)).toEqual([true])

  const third = ask()
  loads[1]?.finish('new')
  // The result of an aborted load is discarded.
  loads[0]?.finish('old')
  expect(await third.value).toBe('new')
  expect(loads).toHaveLength(2)
})

test('goes on with a load while a caller without a signal waits', async () => {
  const { cache, loads, load, ask } = slowCache()
  const patient = cache.get('a', load)
  const other = ask()
  other.leave('gone')
  expect(await other.value).toBe('gone')
  loads[0]?.finish('value')
  expect(await patient).toBe('value')
  expect(loads[0]?.signal.aborted).toBe(false)
})

test('goes on with a load whose callers timed out', async () => {
  const { cache, loads, ask } = slowCache()
  const late = ask()
  late.leave(new DeadlineExceeded(10))
  expect(await late.value).toBeInstanceOf(DeadlineExceeded)
  expect(loads[0]?.signal.aborted).toBe(false)
  loads[0]?.finish('value')
  await Bun.sleep(0)
  expect(cache.has('a')).toBe(true)
})
