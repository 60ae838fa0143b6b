import { expect, test } from 'bun:test'
import { version } from '../../package.json'
import { ALERTS_TEXT } from '../../src/commands/monitoring/alerts.ts'
import { dashboardText } from '../../src/commands/monitoring/dashboard.ts'
import { helpText } from '../../src/config/guide.ts'
import { startProcess } from '../support/child-process.ts'
import { logLines, required, run, service } from './commands.ts'

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

test.each([
  ['--help', 'LIVEKIT_URL'],
  ['-h', 'livekit_url'],
])('%s %s explains one setting', async (option, name) => {
  const { code, stdout, stderr } = await run([option, name])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toStartWith('LIVEKIT_URL\n\nThe URL at which clients reach the SFU.')
  expect(stdout).toEndWith('example:   LIVEKIT_URL=wss://matrix-rtc.example.com/livekit/sfu\n')
})

test.each([
  [
    ['--help', 'livekit_token_ttl'],
    'LIVEKIT_TOKEN_TTL: is not a known setting; did you mean LIVEKIT_TOKEN_TTL_SECONDS? ' +
      '(--help lists all settings, --help codes all codes)\n',
  ],
  [
    ['--help', 'LIVEKIT_URL', 'LIVEKIT_KEY'],
    'expected one setting or code, found 2; --help lists the settings\n',
  ],
])('%j is refused', async (args, stderr) => {
  expect(await run(args)).toEqual({ code: 2, stdout: '', stderr })
})

test('an unknown command is refused', async () => {
  expect(await run(['start'])).toEqual({
    code: 2,
    stdout: '',
    stderr: '"start" is not a command; --help lists the commands\n',
  })
})

test('more than one command is refused', async () => {
  expect(await run(['serve', 'healthcheck'], required)).toEqual({
    code: 2,
    stdout: '',
    stderr: 'expected one command, found 2; --help lists the commands\n',
  })
})

const wrong = {
  ...required,
  LIVEKIT_URL: 'wss://devkey:hunter2@livekit.example.com',
  LIVEKIT_KEY: '',
  LIVEKIT_SECRET: '',
  LIVEKIT_KEY_FROM_FILE: '/nonexistent/key',
  LIVEKIT_JWT_BIND: '8080',
  LIVEKIT_STATE_FILE: '/var/lib/state.sqlite',
  LIVEKIT_REDIS_URL: 'redis://redis:6379',
  LIVEKIT_RATE_LIMIT: '10',
}
const mistakes = [
  [
    'LIVEKIT_URL',
    'has a user name or password in it; expected a URL that begins with "wss://", "ws://", ' +
      '"https://" or "http://", such as "wss://matrix-rtc.example.com/livekit/sfu"',
  ],
  [
    'LIVEKIT_KEY_FROM_FILE',
    `names a file that does not exist (ENOENT); expected a file that user ${process.getuid?.()}, who ` +
      'runs the service, can read: correct the path; in a container, check that the file is mounted ' +
      'at this path',
  ],
  [
    'LIVEKIT_SECRET',
    'is not set; expected the API secret of the SFU, ' +
      'such as "a-secret-of-at-least-thirty-two-characters"',
  ],
  [
    'LIVEKIT_JWT_BIND',
    'has no ":" before the port; expected ":port", "host:port" or "[v6]:port", such as ":8080"',
  ],
  [
    'LIVEKIT_RATE_LIMIT',
    'has no burst; expected "on", "off", or requests a second and burst, such as "10/50"',
  ],
  ['LIVEKIT_STATE_FILE', 'is set together with LIVEKIT_REDIS_URL; expected only one of them'],
] as const
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/)

test('a wrong configuration ends with code 2 and one line of JSON for each problem', async () => {
  const { code, stdout, stderr } = await run(['serve'], wrong)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(logLines(stderr)).toEqual(
    mistakes.map(([setting, cause]) => {
      const code = 'configuration.bad-value'
      const remedy = `"jwt-service --help ${setting}" explains the setting, and gives an example.`
      return { time, level: 'error', message: 'configuration error', setting, cause, code, remedy }
    }),
  )
})

test('a wrong configuration is told in sentences when the log is for people', async () => {
  const { code, stdout, stderr } = await run([], { ...wrong, LIVEKIT_LOG_FORMAT: 'pretty' })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  const [last, ...lines] = stderr.split('\n').reverse()
  expect(last).toBe('')
  expect(lines.reverse().map((line) => line.replace(/^\S+Z error /, ''))).toEqual(
    mistakes.map(([setting, text]) => `${setting}: ${text}`),
  )
})

test('a wrong configuration is told in sentences on a terminal', async () => {
  const env = { ...wrong, LIVEKIT_SECERT: 'hunter2' }
  const child = startProcess({ command: service, env, terminalColumns: 1_000 })
  expect(await child.exited).toBe(2)
  const output = child.output()
  expect(output).toContain('Z \u001b[33mwarn \u001b[0m LIVEKIT_SECERT: is not a known setting; did')
  expect(output).toContain(
    'Z \u001b[31merror\u001b[0m LIVEKIT_URL: has a user name or password in it;',
  )
})

test('a wrong format of the log is told in the usual one', async () => {
  const { code, stderr } = await run([], { ...required, LIVEKIT_LOG_FORMAT: 'logfmt' })
  expect(code).toBe(2)
  expect(logLines(stderr)).toEqual([
    {
      time,
      level: 'error',
      message: 'configuration error',
      setting: 'LIVEKIT_LOG_FORMAT',
      cause: 'is neither pretty nor json; expected "pretty" or "json"',
      code: 'configuration.bad-value',
      remedy: '"jwt-service --help LIVEKIT_LOG_FORMAT" explains the setting, and gives an example.',
    },
  ])
})

test('a directory is refused as a file with a secret', async () => {
  const ending = await run([], { ...required, LIVEKIT_SECRET_FROM_FILE: '/' })
  expect(ending.code).toBe(2)
  expect(logLines(ending.stderr)).toMatchObject([
    {
      setting: 'LIVEKIT_SECRET_FROM_FILE',
      cause: expect.stringMatching(
        /^names a directory \(EISDIR\); expected a file that user \d+, who/,
      ),
    },
  ])
})

test('warnings are logged beside the problems', async () => {
  const ending = await run([], { ...required, LIVEKIT_SECERT: 'hunter2', LIVEKIT_URL: '' })
  expect(ending.code).toBe(2)
  expect(logLines(ending.stdout)).toEqual([
    {
      time: expect.any(String),
      level: 'warn',
      message: 'configuration warning',
      setting: 'LIVEKIT_SECERT',
      cause: 'is not a known setting; did you mean LIVEKIT_SECRET?',
      code: 'configuration.unknown-setting',
      remedy: 'Rename LIVEKIT_SECERT, or remove it.',
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

test('registration prints a file for the homeserver, and says beside it what to do', async () => {
  const args = ['registration', '--url=http://jwt-service:8080', '--server-name', 'example.com']
  const { code, stdout, stderr } = await run(args, { LIVEKIT_URL: 'wss://sfu.example.com' })
  expect(code).toBe(0)
  expect(Bun.YAML.parse(stdout)).toMatchObject({
    id: 'jwt-service',
    as_token: expect.stringMatching(/^[\w-]{43}$/),
    proxy_url: 'http://jwt-service:8080',
  })
  expect(stderr).toContain('url: "wss://sfu.example.com"')
})

test('doctor says where its token comes from', async () => {
  const { code, stdout, stderr } = await run(['doctor', '--help'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const [usage, ...explanation] = stdout.trimEnd().split('\n')
  expect(usage).toStartWith('jwt-service doctor [server name] [--token T] ')
  expect(explanation.length).toBe(3)
  expect(explanation.filter((line) => line.length > 100)).toEqual([])
  expect(explanation.join(' ')).toContain(
    ' POST of {} to /_matrix/client/v3/user/{userId}/openid/request_token with ',
  )
})

test('registration refuses wrong arguments with one line', async () => {
  expect(await run(['registration', '--url=http://a', '--server-name=a:0'])).toEqual({
    code: 2,
    stdout: '',
    stderr:
      '--server-name: has a port that is not from 1 to 65535; expected a server name, as in user ' +
      'IDs, such as "example.com"\n',
  })
})
