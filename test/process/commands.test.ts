import { expect, test } from 'bun:test'
import { version } from '../../package.json'
import { ALERTS_TEXT } from '../../src/commands/monitoring/alerts.ts'
import { dashboardText } from '../../src/commands/monitoring/dashboard.ts'
import { helpText } from '../../src/config/help.ts'
import { logLines, required, run } from './commands.ts'

test.each(['--version', '-V'])('%s prints the version', async (argument) => {
  expect(await run([argument])).toEqual({
    code: 0,
    stdout: `jwt-service-ts ${version}\n`,
    stderr: '',
  })
})

test.each(['--help', '-h'])('%s prints all settings, without any being set', async (argument) => {
  expect(await run([argument])).toEqual({ code: 0, stdout: helpText(version), stderr: '' })
})

test('an unknown command is refused', async () => {
  expect(await run(['start'])).toEqual({
    code: 2,
    stdout: '',
    stderr: '"start" is no command; --help lists the commands\n',
  })
})

test('more than one command is refused', async () => {
  expect(await run(['serve', 'healthcheck'], required)).toEqual({
    code: 2,
    stdout: '',
    stderr: 'expected one command, found 2; --help lists the commands\n',
  })
})

test('a wrong configuration ends with code 2 and one line for each problem', async () => {
  const ending = await run(['serve'], {
    ...required,
    LIVEKIT_URL: 'wss://devkey:hunter2@livekit.example.com',
    LIVEKIT_KEY: '',
    LIVEKIT_SECRET: '',
    LIVEKIT_KEY_FROM_FILE: '/nonexistent/key',
    LIVEKIT_JWT_BIND: '8080',
    LIVEKIT_STATE_FILE: '/var/lib/state.sqlite',
    LIVEKIT_REDIS_URL: 'redis://redis:6379',
    LIVEKIT_RATE_LIMIT: '10',
  })
  expect(ending).toEqual({
    code: 2,
    stdout: '',
    stderr: [
      'LIVEKIT_URL: found credentials in it; expected a URL with wss, ws, https, http, ' +
        'such as wss://example.com',
      'LIVEKIT_KEY_FROM_FILE: names a file that does not exist (ENOENT)',
      'LIVEKIT_SECRET: is not set; expected API secret of the SFU',
      'LIVEKIT_JWT_BIND: found something else; expected ":port", "host:port" or "[v6]:port", ' +
        'such as ":8080"',
      'LIVEKIT_RATE_LIMIT: found something else; expected "on", "off", or requests a second and ' +
        'burst, such as "10/50"',
      'LIVEKIT_STATE_FILE: is set together with LIVEKIT_REDIS_URL; expected only one of them',
      '',
    ].join('\n'),
  })
})

test('a directory is refused as a file with a secret', async () => {
  const ending = await run([], { ...required, LIVEKIT_SECRET_FROM_FILE: '/' })
  expect(ending.code).toBe(2)
  expect(ending.stderr).toBe(
    'LIVEKIT_SECRET_FROM_FILE: names a file that is a directory (EISDIR)\n',
  )
})

test('warnings are logged beside the problems', async () => {
  const ending = await run([], { ...required, LIVEKIT_SECERT: 'hunter2', LIVEKIT_URL: '' })
  expect(ending.code).toBe(2)
  expect(logLines(ending.stdout)).toEqual([
    {
      time: expect.any(String),
      level: 'warn',
      message: 'LIVEKIT_SECERT: is not a known setting; did you mean LIVEKIT_SECRET?',
    },
  ])
})

test.each([
  ['dashboard', dashboardText()],
  ['alerts', ALERTS_TEXT],
])('%s prints all of it, without any setting', async (command, text) => {
  expect(await run([command])).toEqual({ code: 0, stdout: text, stderr: '' })
})

test.each(['dashboard', 'alerts'])('%s takes no arguments', async (command) => {
  expect(await run([command, '--job=a'])).toEqual({
    code: 2,
    stdout: '',
    stderr: 'expected one command, found 2; --help lists the commands\n',
  })
})
