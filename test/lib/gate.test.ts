import { expect, test } from 'bun:test'
import { Gate, type GateLimits, GateRefusal } from '../../src/lib/gate.ts'

/** A gate with tasks that end on command, and a list of those that have started. */
function watch(limits: GateLimits) {
  const gate = new Gate(limits)
  const started: string[] = []
  const ends = new Map<string, PromiseWithResolvers<void>>()
  return {
    started,
    run(key: string, label: string, signal = new AbortController().signal) {
      const end = Promise.withResolvers<void>()
      ends.set(label, end)
      return gate.run(key, signal, async () => {
        started.push(label)
        await end.promise
        return label
      })
    },
    end: (label: string) => ends.get(label)?.resolve(),
    fail: (label: string) => ends.get(label)?.reject(new Error('failed')),
  }
}

test('limits the running tasks per key, and runs the rest in order', async () => {
  const { run, end, started } = watch({ perKey: 2, total: 10, maxWaiting: 10 })
  const all = ['a', 'b', 'c', 'd'].map((label) => run('key', label))
  const other = run('other', 'e')
  expect(started).toEqual(['a', 'b', 'e'])
  end('b')
  expect(await all[1]).toBe('b')
  expect(started).toEqual(['a', 'b', 'e', 'c'])
  for (const label of ['a', 'c', 'd', 'e']) end(label)
  expect(await other).toBe('e')
  expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd'])
})

test('limits the running tasks in total', async () => {
  const { run, end, started } = watch({ perKey: 2, total: 3, maxWaiting: 10 })
  const all = ['a', 'b', 'c', 'd', 'e'].map((label) => run(label, label))
  expect(started).toEqual(['a', 'b', 'c'])
  end('a')
  await all[0]
  expect(started).toEqual(['a', 'b', 'c', 'd'])
  for (const label of ['b', 'c', 'd', 'e']) end(label)
  await Promise.all(all)
  expect(started).toEqual(['a', 'b', 'c', 'd', 'e'])
})

test('a full key does not block other keys', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 2, maxWaiting: 10 })
  const all = [run('x', 'x1'), run('y', 'y1'), run('x', 'x2'), run('z', 'z1')]
  end('y1')
  await all[1]
  expect(started).toEqual(['x1', 'y1', 'z1'])
  for (const label of ['x1', 'x2', 'z1']) end(label)
  await Promise.all(all)
})

test('frees the place of a failed task', async () => {
  const { run, end, fail, started } = watch({ perKey: 1, total: 1, maxWaiting: 1 })
  const first = run('key', 'first')
  const second = run('key', 'second')
  fail('first')
  await expect(first).rejects.toThrow('failed')
  end('second')
  expect(await second).toBe('second')
  expect(started).toEqual(['first', 'second'])
})

test('refuses a task when the queue is full', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 1, maxWaiting: 1 })
  const first = run('key', 'first')
  const second = run('key', 'second')
  await expect(run('other', 'third')).rejects.toThrow(GateRefusal)
  for (const label of ['first', 'second']) end(label)
  await Promise.all([first, second])
  expect(started).toEqual(['first', 'second'])
})

test('drops a task that is aborted while it waits', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 1, maxWaiting: 1 })
  const impatience = new AbortController()
  const first = run('key', 'first')
  const second = run('key', 'second', impatience.signal)
  impatience.abort()
  await expect(second).rejects.toThrow(GateRefusal)
  const third = run('key', 'third')
  for (const label of ['first', 'third']) end(label)
  await Promise.all([first, third])
  expect(started).toEqual(['first', 'third'])
})

test('gives a free place to the key with the fewest running tasks', async () => {
  const { run, end, started } = watch({ perKey: 3, total: 3, maxWaiting: 10 })
  const all = [run('x', 'x1'), run('x', 'x2'), run('y', 'y1'), run('x', 'x3'), run('z', 'z1')]
  end('y1')
  await all[2]
  expect(started).toEqual(['x1', 'x2', 'y1', 'z1'])
  for (const label of ['x1', 'x2', 'z1']) end(label)
  await all[0]
  end('x3')
  await Promise.all(all)
})

test('frees the place of a running task as soon as its signal fires', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 1, maxWaiting: 1 })
  const hangUp = new AbortController()
  const first = run('x', 'first', hangUp.signal)
  const second = run('y', 'second')
  hangUp.abort(new Error('hung up'))
  await expect(first).rejects.toThrow('hung up')
  expect(started).toEqual(['first', 'second'])
  end('second')
  expect(await second).toBe('second')
})

test('takes a place back after a while, only if another key needs it', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 1, maxWaiting: 2, patienceMs: 20 })
  const slow = run('x', 'slow')
  const same = run('x', 'same')
  await Bun.sleep(40)
  expect(started).toEqual(['slow'])
  const other = run('y', 'other')
  await expect(slow).rejects.toThrow('timeout after 0.02 s')
  end('same')
  await same
  end('other')
  await other
  expect(started).toEqual(['slow', 'same', 'other'])
})
