import { expect, test } from 'bun:test'
import { DeadlineExceeded, withDeadline } from '../../src/lib/deadline.ts'

const forever = () => new Promise<never>(() => {})

test('gives what the task gives', async () => {
  expect(await withDeadline(1000, undefined, async () => 'done')).toBe('done')
})

test('passes on what the task throws', async () => {
  const failing = withDeadline(1000, undefined, () => Promise.reject(new Error('no luck')))
  await expect(failing).rejects.toThrow('no luck')
})

test('ends in time even if the task does not, and says so to the task', async () => {
  let given: AbortSignal | undefined
  const late = withDeadline(20, undefined, (signal) => {
    given = signal
    return forever()
  })
  await expect(late).rejects.toThrow(new DeadlineExceeded(20))
  expect(given?.aborted).toBe(true)
  expect(given?.reason).toBeInstanceOf(DeadlineExceeded)
})

test('tells the time in seconds', () => {
  expect(new DeadlineExceeded(3000).message).toBe('timeout after 3 s')
  expect(new DeadlineExceeded(300).message).toBe('timeout after 0.3 s')
})

test('ends when the outer signal fires, for its reason', async () => {
  const outer = new AbortController()
  const task = withDeadline(1000, outer.signal, forever)
  outer.abort(new Error('changed my mind'))
  await expect(task).rejects.toThrow('changed my mind')
})

test('does not begin once the outer signal has fired', async () => {
  let begun = false
  const task = withDeadline(1000, AbortSignal.abort(new Error('too late')), async () => {
    begun = true
  })
  await expect(task).rejects.toThrow('too late')
  expect(begun).toBe(false)
})
