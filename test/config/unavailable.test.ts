import { describe, expect, test } from 'bun:test'
import { problemsOf, quietly } from './loading.ts'

const inert = [
  ['LIVEKIT_RATE_LIMIT', 'off'],
  ['LIVEKIT_TRUSTED_PROXIES', 'none'],
  ['LIVEKIT_METRICS_BIND', 'off'],
] as const

describe.each(inert)('%s, which this version cannot honour', (variable, value) => {
  test('is refused, and its value is not repeated', () => {
    expect(problemsOf({ [variable]: 'hunter2' })).toEqual([
      `${variable}: found a value that this version cannot honour; ` +
        `expected it not to be set, which means "${value}"`,
    ])
  })

  test.each(['', value, value.toUpperCase()])('is let pass when it is %p', (text) => {
    expect(() => quietly({ [variable]: text })).not.toThrow()
  })
})
