import { expect, test } from 'bun:test'
import { Cancellation, toAbortSignal } from '../../src/lib/cancellation.ts'

const REASON = new Error('changed my mind')

test('tells its listeners once, with the reason of the first time', () => {
  const cancellation = new Cancellation()
  const told: unknown[] = []
  cancellation.addEventListener('abort', () => told.push(cancellation.reason))
  expect(cancellation.aborted).toBe(false)
  cancellation.throwIfAborted()
  cancellation.abort(REASON)
  cancellation.abort(new Error('too late'))
  expect(cancellation.aborted).toBe(true)
  expect(told).toEqual([REASON])
  expect(() => cancellation.throwIfAborted()).toThrow(REASON)
})

test('does not tell a listener that another one has just removed', () => {
  const cancellation = new Cancellation()
  const told: string[] = []
  const second = () => told.push('second')
  cancellation.addEventListener('abort', () => {
    told.push('first')
    cancellation.removeEventListener('abort', second)
  })
  cancellation.addEventListener('abort', second)
  cancellation.addEventListener('abort', () => told.push('third'))
  cancellation.abort(REASON)
  expect(told).toEqual(['first', 'third'])
})

test('does not tell a listener that was removed', () => {
  const cancellation = new Cancellation()
  const told: string[] = []
  const listen = (name: string) => {
    const listener = () => {
      told.push(name)
      cancellation.removeEventListener('abort', listener)
    }
    cancellation.addEventListener('abort', listener)
    return listener
  }
  listen('a')
  const removed = listen('b')
  listen('c')
  cancellation.removeEventListener('abort', removed)
  cancellation.removeEventListener('abort', removed)
  cancellation.abort(REASON)
  expect(told).toEqual(['a', 'c'])
})

test('is an AbortSignal for the platform, before and after it is aborted', () => {
  const cancellation = new Cancellation()
  const before = toAbortSignal(cancellation)
  expect(toAbortSignal(cancellation)).toBe(before)
  expect(before.aborted).toBe(false)
  cancellation.abort(REASON)
  expect([before.aborted, before.reason]).toEqual([true, REASON])

  const aborted = new Cancellation()
  aborted.abort(REASON)
  const after = toAbortSignal(aborted)
  expect([after.aborted, after.reason]).toEqual([true, REASON])
})

test('leaves an AbortSignal as it is', () => {
  const { signal } = new AbortController()
  expect(toAbortSignal(signal)).toBe(signal)
})
