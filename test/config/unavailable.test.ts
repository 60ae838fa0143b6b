import { describe, expect, test } from 'bun:test'
import { problemsOf, quietly } from './loading.ts'

const inert = [
  ['LIVEKIT_RATE_LIMIT', 'off'],
  ['LIVEKIT_TRUSTED_PROXIES', 'none'],
  ['LIVEKIT_METRICS_BIND', 'off'],
  ['LIVEKIT_AS_REGISTRATION_FILE', 'none'],
  ['LIVEKIT_AS_TOKEN', 'none'],
  ['LIVEKIT_HS_TOKEN', 'none'],
  ['LIVEKIT_HS_SERVER_NAME', 'none'],
  ['LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS', '0'],
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

test.each(['LIVEKIT_AS_TOKEN', 'LIVEKIT_HS_TOKEN'])(
  '%s is refused from a file as well',
  (variable) => {
    expect(problemsOf({ [`${variable}_FROM_FILE`]: '/secret' }, { '/secret': 'hunter2' })).toEqual([
      `${variable}_FROM_FILE: found a value that this version cannot honour; ` +
        'expected it not to be set, which means "none"',
    ])
  },
)
