import { afterEach, expect, jest, test } from 'bun:test'
import { Cancellation } from '../../src/lib/cancellation.ts'
import { Gate, type GateLimits, GateRefusal } from '../../src/lib/gate.ts'

afterEach(() => {
  jest.useRealTimers()
})

/** A gate, tasks that end when they are told, and who has begun. */
function watch(limits: GateLimits) {
  const gate = new Gate(limits)
  const started: string[] = []
  const ends = new Map<string, PromiseWithResolvers<void>>()
  return {
    started,
    run(key: string, label: string, controller = new Cancellation(), asker?: string) {
      const end = Promise.withResolvers<void>()
      ends.set(label, end)
      return gate.run({ key, asker }, controller, async () => {
        started.push(label)
        await end.promise
        return label
      })
    },
    end: (label: string) => ends.get(label)?.resolve(),
    fail: (label: string) => ends.get(label)?.reject(new Error('failed')),
  }
}

test('runs so many tasks of one key, and the rest in order', async () => {
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

test('runs so many tasks in all', async () => {
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

test('lets nobody wait behind a key that is full', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 2, maxWaiting: 10 })
  const all = [run('x', 'x1'), run('y', 'y1'), run('x', 'x2'), run('z', 'z1')]
  end('y1')
  await all[1]
  expect(started).toEqual(['x1', 'y1', 'z1'])
  for (const label of ['x1', 'x2', 'z1']) end(label)
  await Promise.all(all)
})

test('makes room when a task fails', async () => {
  const { run, end, fail, started } = watch({ perKey: 1, total: 1, maxWaiting: 1 })
  const first = run('key', 'first')
  const second = run('key', 'second')
  fail('first')
  await expect(first).rejects.toThrow('failed')
  end('second')
  expect(await second).toBe('second')
  expect(started).toEqual(['first', 'second'])
})

test('refuses a task when too many are waiting', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 1, maxWaiting: 1 })
  const first = run('key', 'first')
  const second = run('key', 'second')
  await expect(run('other', 'third')).rejects.toThrow(GateRefusal)
  for (const label of ['first', 'second']) end(label)
  await Promise.all([first, second])
  expect(started).toEqual(['first', 'second'])
})

test('forgets a task that is given up while it waits', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 1, maxWaiting: 1 })
  const impatience = new Cancellation()
  const first = run('key', 'first')
  const second = run('key', 'second', impatience)
  impatience.abort(new Error('impatient'))
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

test('gives the place of a running task back as soon as its signal fires', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 1, maxWaiting: 1 })
  const hangUp = new Cancellation()
  const first = run('x', 'first', hangUp)
  const second = run('y', 'second')
  hangUp.abort(new Error('hung up'))
  await expect(first).rejects.toThrow('hung up')
  expect(started).toEqual(['first', 'second'])
  end('second')
  expect(await second).toBe('second')
})

test('takes a place away after a while, and only for a key that needs it', async () => {
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

test('a key that comes when a place is overdue gets it at once', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 1, maxWaiting: 2, patienceMs: 20 })
  const slow = run('x', 'slow')
  await Bun.sleep(30)
  expect(started).toEqual(['slow'])
  const other = run('y', 'other')
  await expect(slow).rejects.toThrow('timeout after 0.02 s')
  expect(started).toEqual(['slow', 'other'])
  end('other')
  await other
})

test('takes away no more places than are needed', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 2, maxWaiting: 4, patienceMs: 20 })
  const first = run('x', 'x1')
  const second = run('y', 'y1')
  await Bun.sleep(30)
  const waiting = [run('z', 'z1'), run('z', 'z2')]
  await expect(first).rejects.toThrow('timeout after 0.02 s')
  end('z1')
  end('z2')
  await Promise.all(waiting)
  end('y1')
  expect(await second).toBe('y1')
  expect(started).toEqual(['x1', 'y1', 'z1', 'z2'])
})

test('sets no timer until somebody waits, and leaves none behind', async () => {
  jest.useFakeTimers()
  const { run, end } = watch({ perKey: 1, total: 1, maxWaiting: 2, patienceMs: 20 })
  const first = run('x', 'first')
  expect(jest.getTimerCount()).toBe(0)
  const second = run('y', 'second')
  expect(jest.getTimerCount()).toBe(1)
  end('first')
  await first
  expect(jest.getTimerCount()).toBe(0)
  end('second')
  await second
})

test('makes room when a task throws before it has begun to wait', async () => {
  const gate = new Gate({ perKey: 1, total: 1, maxWaiting: 0 })
  const failing = gate.run({ key: 'key' }, new Cancellation(), () => {
    throw new Error('at once')
  })
  await expect(failing).rejects.toThrow('at once')
  expect(await gate.run({ key: 'key' }, new Cancellation(), async () => 'done')).toBe('done')
})

test('gives the place of a task that is left behind back only once', async () => {
  const { run, end, started } = watch({ perKey: 1, total: 1, maxWaiting: 2 })
  const hangUp = new Cancellation()
  const left = run('x', 'left', hangUp)
  const second = run('y', 'second')
  const third = run('z', 'third')
  hangUp.abort(new Error('hung up'))
  await expect(left).rejects.toThrow('hung up')
  end('left')
  await Bun.sleep(1)
  expect(started).toEqual(['left', 'second'])
  end('second')
  end('third')
  await Promise.all([second, third])
})

test('two tasks with one cancellation, one of them waiting, are both given up, and the gate goes on', async () => {
  const gate = new Gate({ perKey: 1, total: 1, maxWaiting: 10 })
  const both = new Cancellation()
  const forever = () => new Promise<never>(() => {})
  const held = gate.run({ key: 'key' }, both, forever)
  const waiting = gate.run({ key: 'key' }, both, forever)
  both.abort(new Error('hung up'))
  await expect(held).rejects.toThrow('hung up')
  await expect(waiting).rejects.toThrow()
  expect([gate.running, gate.waiting]).toEqual([0, 0])
  expect(await gate.run({ key: 'key' }, new Cancellation(), async () => 'done')).toBe('done')
})
