import { expect, test } from 'bun:test'
import { Cancellation } from '../../src/lib/cancellation.ts'
import { Gate, type GateLimits, GateRefusal, type Subject } from '../../src/lib/gate.ts'

/** A gate whose tasks end when they are told; tells who has begun, as `asker/key`. */
function watch(limits: GateLimits) {
  const gate = new Gate(limits)
  const begun: string[] = []
  const ends = new Map<string, PromiseWithResolvers<void>>()

  function run(key: string, asker?: string) {
    const subject: Subject = { key, asker }
    const label = `${asker ?? ''}/${key}`
    const end = Promise.withResolvers<void>()
    ends.set(label, end)
    return gate.run(subject, new Cancellation(), () => {
      begun.push(label)
      return end.promise
    })
  }
  /** Ends a task, and waits until what comes of it has happened. */
  async function end(label: string): Promise<void> {
    ends.get(label)?.resolve()
    await Bun.sleep(0)
  }
  return { gate, begun, run, end }
}

test('one asker has no more than its share, whatever the keys', async () => {
  const { begun, run, end } = watch({ perKey: 5, total: 4, perAsker: 2, maxWaiting: 10 })
  for (const key of ['a', 'b', 'c', 'd']) run(key, 'mallory')
  run('e', 'alice')
  run('f', 'bob')
  expect(begun).toEqual(['mallory/a', 'mallory/b', 'alice/e', 'bob/f'])
  await end('alice/e')
  expect(begun).toHaveLength(4)
  await end('mallory/a')
  expect(begun.slice(4)).toEqual(['mallory/c'])
})

test('a free place goes to the asker with the fewest, before all who came earlier', async () => {
  const { begun, run, end } = watch({ perKey: 5, total: 2, maxWaiting: 10 })
  for (const key of ['a', 'b', 'c', 'd']) run(key, 'mallory')
  run('e', 'alice')
  await end('mallory/a')
  expect(begun).toEqual(['mallory/a', 'mallory/b', 'alice/e'])
  await end('alice/e')
  expect(begun.slice(3)).toEqual(['mallory/c'])
})

test('of one asker, the key with the fewest places goes first', async () => {
  const { begun, run, end } = watch({ perKey: 5, total: 3, maxWaiting: 10 })
  run('x', 'alice')
  run('y', 'bob')
  run('x', 'carol')
  run('x', 'dan')
  run('z', 'erin')
  await end('bob/y')
  expect(begun.slice(3)).toEqual(['erin/z'])
})

test('whose asker nobody knows waits by its key, as if it asked for itself', async () => {
  const { begun, run, end } = watch({ perKey: 5, total: 2, perAsker: 1, maxWaiting: 10 })
  for (const key of ['a', 'b', 'c', 'd']) run(key)
  expect(begun).toEqual(['/a', '/b'])
  await end('/a')
  await end('/b')
  expect(begun).toEqual(['/a', '/b', '/c', '/d'])
})

test('one asker cannot fill the queue', async () => {
  const { gate, run } = watch({ perKey: 1, total: 1, maxWaiting: 4, maxWaitingPerAsker: 2 })
  run('held', 'mallory')
  run('a', 'mallory')
  run('b', 'mallory')
  await expect(run('c', 'mallory')).rejects.toThrow(GateRefusal)
  run('d', 'alice')
  run('e')
  expect(gate.waiting).toBe(4)
  await expect(run('f', 'bob')).rejects.toThrow('too many requests are waiting')
})

test('one place that becomes free lets in whoever waited for its key, and for its asker', async () => {
  const { begun, run, end } = watch({ perKey: 1, total: 5, perAsker: 1, maxWaiting: 10 })
  run('x', 'alice')
  run('x', 'bob')
  run('y', 'alice')
  expect(begun).toEqual(['alice/x'])
  await end('alice/x')
  expect(begun.slice(1).toSorted()).toEqual(['alice/y', 'bob/x'])
})

test('a place is not taken away for an asker that has its share', async () => {
  const limits = { perKey: 5, total: 2, perAsker: 1, maxWaiting: 10, patienceMs: 20 }
  const { gate, begun, run } = watch(limits)
  run('a', 'alice')
  run('b', 'mallory')
  run('c', 'mallory')
  await Bun.sleep(100)
  expect(begun).toEqual(['alice/a', 'mallory/b'])
  expect([gate.running, gate.waiting]).toEqual([2, 1])
})
