import { expect, test } from 'bun:test'
import type { CancellationSignal } from '../../src/lib/cancellation.ts'
import { DeadlineExceeded, withDeadline } from '../../src/lib/deadline.ts'

const forever = () => new Promise<never>(() => {})

test('returns the result of the task', async () => {
  expect(await withDeadline(1000, undefined, async () => 'done')).toBe('done')
})

test('throws what the task throws', async () => {
  const failing = withDeadline(1000, undefined, () => Promise.reject(new Error('no luck')))
  await expect(failing).rejects.toThrow('no luck')
})

test('rejects in time even if the task does not end, and aborts the task', async () => {
  let given: CancellationSignal | undefined
  const late = withDeadline(20, undefined, (signal) => {
    given = signal
    return forever()
  })
  await expect(late).rejects.toThrow(new DeadlineExceeded(20))
  expect(given?.aborted).toBe(true)
  expect(given?.reason).toBeInstanceOf(DeadlineExceeded)
})

test('names the timeout in seconds', () => {
  expect(new DeadlineExceeded(3000).message).toBe('timeout after 3 s')
  expect(new DeadlineExceeded(300).message).toBe('timeout after 0.3 s')
})

test('rejects with the reason of the outer signal', async () => {
  const outer = new AbortController()
  const task = withDeadline(1000, outer.signal, forever)
  outer.abort(new Error('changed my mind'))
  await expect(task).rejects.toThrow('changed my mind')
})

test('does not start the task if the outer signal has fired already', async () => {
  let begun = false
  const task = withDeadline(1000, AbortSignal.abort(new Error('too late')), async () => {
    begun = true
  })
  await expect(task).rejects.toThrow('too late')
  expect(begun).toBe(false)
})
