import { expect, test } from 'bun:test'
import { readDoctorArguments } from '../../src/commands/doctor/arguments.ts'
import { clockSkew } from '../../src/commands/doctor/clock-skew.ts'
import { findingText, summaryText } from '../../src/commands/doctor/output.ts'

const NOON = Date.parse('2026-11-24T12:00:00Z')

function dateAt(ms: number): string {
  return new Date(ms).toUTCString()
}

test.each([
  ['without a date', null, undefined],
  ['with a date that is none', 'soon', undefined],
  ['of the same second', dateAt(NOON), undefined],
  ['four seconds ahead', dateAt(NOON + 4_000), undefined],
  ['a minute ahead', dateAt(NOON + 60_000), 'its clock is 60 s ahead of ours'],
  ['ten minutes behind', dateAt(NOON - 601_000), 'its clock is 600 s behind ours'],
])('compares the clock of an answer %s', (_, date, text) => {
  expect(clockSkew(date, NOON, NOON)?.text).toBe(text as string)
})

test('takes the time that an answer took for no difference of the clocks', () => {
  expect(clockSkew(dateAt(NOON + 3_000), NOON, NOON + 8_000)).toBeUndefined()
})

test.each([
  [[], { serverName: undefined, token: undefined, user: undefined, json: false }],
  [['example.com'], { serverName: 'example.com', token: undefined, user: undefined, json: false }],
  [
    ['--user', '@alice:example.com:8448', '--token', 'T', '--json'],
    {
      serverName: 'example.com:8448',
      token: 'T',
      user: '@alice:example.com:8448',
      json: true,
    },
  ],
])('reads the arguments %j', (args, expected) => {
  expect(readDoctorArguments(args)).toEqual(expected)
})

test.each([
  ['an unknown option', ['--tokn', 'secret'], 'unknown option'],
  ['an option without its value', ['example.com', '--token'], 'unknown option, or one without'],
  ['two server names', ['a.example', 'b.example'], 'more than one server name'],
  ['a URL', ['https://example.com'], 'not a server name; expected one such as example.com'],
  [
    'a user ID in place of a server name',
    ['@alice:example.com'],
    'a user ID; expected a server name such as example.com, or --user before it, with --token',
  ],
  ['a user without server', ['--user', 'alice'], '--user: is no user ID'],
  ['a user of no server', ['--token', 'secret', '--user', '@u:https://a'], '--user: is no user ID'],
  ['a user without a token', ['--user', '@u:a.example'], '--user: needs --token'],
  ['a user of another server', ['a.example', '--user', '@u:b.example'], 'user of another server'],
  ['a token of nobody knows whom', ['--token', 'secret'], '--token: needs the server name'],
])('refuses %s', (_, args, message) => {
  const refusal = readDoctorArguments(args)
  expect(refusal).toContain(message)
  expect(refusal).not.toContain('secret')
})

test('writes a finding with what it means and what helps, and nothing that a terminal obeys', () => {
  const text = findingText({
    step: 'transports',
    level: 'problem',
    found: 'answers \u001b[2J',
    code: 'transports.elsewhere',
    sentence: 'It is another one.',
    remedy: 'Name this one.',
  })
  expect(text).toBe(
    'PROBLEM  transports     answers \\u{1b}[2J\n' +
      '                        It is another one. [transports.elsewhere]\n' +
      '                        -> Name this one.\n',
  )
})

test('sums up', () => {
  const found = { step: 'sfu', found: '' } as const
  expect(summaryText([{ ...found, level: 'ok' }])).toBe(
    'No problem found; warnings: 0, skipped: 0.\n',
  )
  expect(
    summaryText([
      { ...found, level: 'problem' },
      { ...found, level: 'warning' },
    ]),
  ).toBe('Problems: 1, warnings: 1, skipped: 0.\n')
})
