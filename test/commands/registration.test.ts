import { describe, expect, test } from 'bun:test'
import { registration } from '../../src/commands/registration.ts'
import { loadConfig } from '../../src/config.ts'
import { required } from '../process/commands.ts'

const args = ['--url', 'http://jwt-service:8080', '--server-name', 'example.com']

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let [stdout, stderr] = ['', '']
  const code = registration(args, env, {
    out(text) {
      stdout += text
    },
    err(text) {
      stderr += text
    },
  })
  return { code, stdout, stderr }
}

/** The file that the command prints, as a homeserver reads it. */
function printed(url: string, serverName: string): Record<string, unknown> {
  const { stdout } = run([`--url=${url}`, `--server-name=${serverName}`])
  return Bun.YAML.parse(stdout) as Record<string, unknown>
}

function namespaceOf(serverName: string): RegExp {
  const { namespaces } = printed('http://jwt-service:8080', serverName)
  const { users } = namespaces as { users: { regex: string }[] }
  return new RegExp(users[0]?.regex ?? '', 's')
}

test('prints a registration file with tokens of its own', () => {
  expect(printed('http://jwt-service:8080', 'example.com')).toEqual({
    id: 'jwt-service',
    as_token: expect.stringMatching(/^[\w-]{43}$/),
    hs_token: expect.stringMatching(/^[\w-]{43}$/),
    sender_localpart: '_jwt-service',
    url: null,
    rate_limited: false,
    namespaces: { users: [{ exclusive: false, regex: '^@.*:example\\.com$' }] },
    scopes: ['urn:matrix:client:rooms:is_joined'],
    proxy_prefix: 'rtc/livekit',
    proxy_url: 'http://jwt-service:8080',
    'io.element.msc4502.scopes': ['urn:matrix:client:io.element.msc4502:rooms:is_joined'],
    'io.element.msc4512.proxy_prefix': 'rtc/livekit',
    'io.element.msc4512.proxy_url': 'http://jwt-service:8080',
  })
})

test('never prints a token twice', () => {
  const files = [1, 2].map(() => printed('http://a', 'example.com'))
  const tokens = files.flatMap((file) => [file.as_token, file.hs_token])
  expect(new Set(tokens).size).toBe(4)
})

test('says what goes where, without the tokens', () => {
  const { code, stdout, stderr } = run(args, { LIVEKIT_URL: 'wss://sfu.example.com' })
  expect(code).toBe(0)
  const { as_token, hs_token } = Bun.YAML.parse(stdout) as Record<string, string>
  expect(stderr).not.toContain(String(as_token))
  expect(stderr).not.toContain(String(hs_token))
  expect(stderr).toContain('mode 600')

  const [, afterSynapse = ''] = stderr.split('homeserver.yaml, and restart Synapse:\n')
  const [synapse = '', variables] = afterSynapse.split('\n3. Add these variables')
  expect(Bun.YAML.parse(synapse)).toEqual({
    app_service_config_files: ['/path/to/registration.yaml'],
    experimental_features: {
      msc4143_enabled: true,
      msc4502_enabled: true,
      msc4512_enabled: true,
    },
    max_event_delay_duration: '24h',
    matrix_rtc: { transports: [{ type: 'livekit', url: 'wss://sfu.example.com' }] },
  })
  expect(variables).toEndWith(
    '\n\nLIVEKIT_AS_REGISTRATION_FILE=/path/to/registration.yaml\n' +
      'LIVEKIT_HS_SERVER_NAME=example.com\n',
  )
})

test.each([
  ['that is not set', {}],
  ['with credentials', { LIVEKIT_URL: 'wss://devkey:hunter2@sfu.example.com' }],
])('stands in for a LIVEKIT_URL %s', (_, env) => {
  const { stderr } = run(args, env)
  expect(stderr).toContain('      url: "<LIVEKIT_URL of jwt-service>"\n')
  expect(stderr).not.toContain('hunter2')
})

describe('what it prints', () => {
  test.each(['example.com', 'sub.example-1.com:8448', 'localhost:8448', '1.2.3.4', '[::1]:8448'])(
    'is taken by the service of %s, without a warning',
    (serverName) => {
      const { stdout } = run([...args.slice(0, 2), '--server-name', serverName])
      const env = {
        ...required,
        LIVEKIT_AS_REGISTRATION_FILE: '/registration.yaml',
        LIVEKIT_HS_SERVER_NAME: serverName,
      }
      const { config, problems, warnings } = loadConfig(env, () => stdout)
      expect([...problems, ...warnings]).toEqual([])
      const { as_token, hs_token } = Bun.YAML.parse(stdout) as Record<string, string>
      expect(config?.applicationService).toEqual({
        asToken: String(as_token),
        hsToken: String(hs_token),
        serverName,
        membershipCheckMs: 60_000,
      })
    },
  )

  test.each([
    ['example.com', '@alice:example.com'],
    ['example.com', "@_a/b=c.d-e'f:example.com"],
    ['localhost:8448', '@alice:localhost:8448'],
    ['1.2.3.4', '@alice:1.2.3.4'],
    ['[::1]', '@alice:[::1]'],
    ['[2001:db8::1]:8448', '@alice:[2001:db8::1]:8448'],
  ])('has users of %s such as %s in its namespace', (serverName, userId) => {
    expect(userId).toMatch(namespaceOf(serverName))
  })

  test.each([
    ['example.com', '@a:example.com.evil.org'],
    ['example.com', '@a:exampleXcom'],
    ['example.com', '@a:example.com:8448'],
    ['example.com', '@a:evil-example.com'],
    ['example.com', 'a:example.com'],
    ['localhost:8448', '@a:localhost'],
    ['localhost:8448', '@a:localhost:84480'],
    ['1.2.3.4', '@a:1a2.3.4'],
    ['[::1]:8448', '@a:::8448'],
    ['[::1]:8448', '@a:[::11:8448'],
  ])('has of %s no user such as %s in its namespace', (serverName, userId) => {
    expect(userId).not.toMatch(namespaceOf(serverName))
  })

  test.each([
    ['http://jwt-service:8080/', 'http://jwt-service:8080'],
    ['https://example.com/livekit/jwt//', 'https://example.com/livekit/jwt'],
    ['http://[::1]:8080', 'http://[::1]:8080'],
    [`http://a/'"`, `http://a/'"`],
    ['http://a/%23:x,{[&*!|>%@', 'http://a/%23:x,{[&*!|>%@'],
  ])('has the URL %p as %p', (url, expected) => {
    const file = printed(url, 'example.com')
    expect(file.proxy_url).toBe(expected)
    expect(file['io.element.msc4512.proxy_url']).toBe(expected)
  })
})

test('takes its arguments in any order, with a space or "="', () => {
  const endings = [
    run(['--server-name', 'example.com', '--url=http://a']),
    run(['--server-name=example.com', '--url', 'http://a']),
  ]
  for (const { code, stdout } of endings) {
    expect(code).toBe(0)
    expect(stdout).toContain("\nproxy_url: 'http://a'\n")
  }
})

describe('refuses with one line', () => {
  const url = '--url=http://jwt-service:8080'
  const name = '--server-name=example.com'
  const urlMeaning = 'where the homeserver reaches this service, such as "http://jwt-service:8080"'
  const nameMeaning = 'the server name of the homeserver, such as "example.com"'
  const urlExpected =
    'expected a URL that begins with "http://" or "https://", such as "http://jwt-service:8080"'
  const nameExpected = 'expected a server name, as in user IDs, such as "example.com"'

  test.each([
    [[], `--url: is missing; expected ${urlMeaning}`],
    [[name], `--url: is missing; expected ${urlMeaning}`],
    [[url], `--server-name: is missing; expected ${nameMeaning}`],
    [[name, '--url'], `--url: has no value; expected ${urlMeaning}`],
    [[name, '--url='], `--url: has no value; expected ${urlMeaning}`],
    [['--url', '--server-name', 'example.com'], `--url: has no value; expected ${urlMeaning}`],
    [[url, '--server-name', ''], `--server-name: has no value; expected ${nameMeaning}`],
    [[url, name, url], '--url: is given twice; expected it once'],
    [[url, name, '--server-name', 'a'], '--server-name: is given twice; expected it once'],
    [[url, name, '--file'], '"--file": is not known; expected --url and --server-name'],
    [[url, name, '--url-x=a'], '"--url-x=a": is not known; expected --url and --server-name'],
    [[url, name, '-u'], '"-u": is not known; expected --url and --server-name'],
    [[url, name, 'a\nb'], '"a\\nb": is not known; expected --url and --server-name'],
    [[url, name, '--'], '"--": is not known; expected --url and --server-name'],
    [[name, '--url=jwt-service:8080'], `--url: has no scheme; ${urlExpected}`],
    [[name, '--url=--server-name'], `--url: has no scheme; ${urlExpected}`],
    [[name, '--url=ws://jwt-service'], `--url: has another scheme; ${urlExpected}`],
    [[name, '--url=http://a b'], `--url: contains a space; ${urlExpected}`],
    [
      [name, '--url=http://u:hunter2@a'],
      `--url: has a user name or password in it; ${urlExpected}`,
    ],
    [
      [name, '--url=http://a?b'],
      `--url: has a query or fragment, after "?" or "#"; ${urlExpected}`,
    ],
    [
      [name, '--url=http://bücher.example'],
      '--url: contains a character beyond ASCII; expected a URL of ASCII characters, ' +
        'such as "http://jwt-service:8080"',
    ],
    [[url, '--server-name=https://a'], `--server-name: is a URL; ${nameExpected}`],
    [
      [url, '--server-name=a:0'],
      `--server-name: has a port that is not from 1 to 65535; ${nameExpected}`,
    ],
    [
      [url, '--server-name=::1'],
      `--server-name: is an IPv6 address without brackets; ${nameExpected}`,
    ],
  ])('%j', (wrong, line) => {
    expect(run(wrong)).toEqual({
      code: 2,
      stdout: '',
      stderr: `${line}\n`,
    })
  })
})
