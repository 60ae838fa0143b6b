import { expect, test } from 'bun:test'
import { mayHoldUsersOf } from '../../src/config/user-namespace.ts'

test.each([
  ['example.com', String.raw`^@.*:example\.com$`],
  ['example.com', String.raw`@.*:example\.com`],
  ['example.com', String.raw`^@.*:example\.com\Z`],
  ['example.com', '@.*:example.com'],
  ['example.com', '^@(alice|bob):example\\.com$'],
  ['example.com', String.raw`^@_livekit_.*:example\.com$`],
  ['example.com', String.raw`^@alice:example\.com$`],
  ['example.com', String.raw`@.*:example\.com(?::\d+)?$`],
  ['example.com', String.raw`^@.*:(example\.com|example\.org)$`],
  ['example.com', String.raw`^@.*:example\.org$|^@.*:example\.com$`],
  ['example.com', String.raw`^@.*:example\.com$|^@.*:example\.org$`],
  ['example.com', String.raw`(?i)^@.*:EXAMPLE\.COM$`],
  ['example.com', String.raw`^@.*:[a-z]+\.com$`],
  ['example.com', String.raw`^@.*:\w+\.com$`],
  ['example.com', '^@[^:]*:example[.]com$'],
  ['sub.example.com', String.raw`^@.*\.example\.com$`],
  ['example.com', '.*'],
  ['example.com', '@'],
  ['example.com', ''],
  ['example.com', '['],
  ['localhost:8448', '^@.*:localhost:8448$'],
  ['localhost:8448', '^@.*:localhost'],
  ['[::1]:8448', String.raw`^@.*:\[::1\]:8448$`],
  ['[::1]', String.raw`^@.*:\[::1\]$`],
])('users of %s may be in the namespace %s', (serverName, pattern) => {
  expect(mayHoldUsersOf(serverName, pattern)).toBe(true)
})

test.each([
  ['example.com', String.raw`^@.*:example\.org$`],
  ['example.com', String.raw`@.*:example\.org`],
  ['example.com', String.raw`^@.*:example\.org\Z`],
  ['example.com', String.raw`^@.*:Example\.com$`],
  ['example.com', String.raw`^@.*:sub\.example\.com$`],
  ['example.com', String.raw`^@.*:example\.com\$$`],
  ['example.com', String.raw`^@.*:example\.com\.$`],
  ['example.com', String.raw`^@_livekit_.*:example\.org$`],
  ['example.com', String.raw`^@alice:example\.org$`],
  ['example.com', '@.*:example.com.'],
  ['sub.example.com', String.raw`^@.*:example\.com$`],
  ['localhost', '^@.*:localhost:8448$'],
  ['localhost:8448', '^@.*:localhost$'],
  ['localhost:8448', '^@.*:localhost:8449'],
  ['[::1]', String.raw`^@.*:\[::2\]$`],
])('users of %s are never in the namespace %s', (serverName, pattern) => {
  expect(mayHoldUsersOf(serverName, pattern)).toBe(false)
})
