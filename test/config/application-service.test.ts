import { describe, expect, test } from 'bun:test'
import { load, NO_FILE, problemsOf, quietly, warningsOf } from './loading.ts'

const AS = 'as-token-of-the-tests-0123456789abcdef'
const HS = 'hs-token-of-the-tests-0123456789abcdef'
const OTHER = 'another-token-of-the-tests-0123456789ab'

const server = { LIVEKIT_HS_SERVER_NAME: 'example.com' }
const variables = { ...server, LIVEKIT_AS_TOKEN: AS, LIVEKIT_HS_TOKEN: HS }
const file = { ...server, LIVEKIT_AS_REGISTRATION_FILE: '/registration.yaml' }

/** A registration file in which a line is replaced, or left out. */
function registration(replace: Readonly<Record<string, string>> = {}): string {
  const lines = {
    id: 'id: livekit',
    url: 'url: null',
    as: `as_token: ${AS}`,
    hs: `hs_token: "${HS}" # between both`,
    sender: "sender_localpart: 'livekit'",
    limit: 'rate_limited: false',
    users: 'namespaces: { users: [{ exclusive: false, regex: "^@.*:example\\\\.com$" }] }',
    scopes: '"io.element.msc4502.scopes": ["urn:matrix:client:io.element.msc4502:rooms:is_joined"]',
    prefix: 'io.element.msc4512.proxy_prefix: rtc/livekit',
    proxy: 'io.element.msc4512.proxy_url: http://jwt-service:8080',
    ...replace,
  }
  return Object.values(lines).join('\n')
}

const files = (text: string) => ({ '/registration.yaml': text })
const problemsIn = (text: string) => problemsOf(file, files(text))
const warningsIn = (text: string) => warningsOf(file, files(text))

const mode = { asToken: AS, hsToken: HS, serverName: 'example.com', membershipCheckMs: 60_000 }

describe('application-service mode', () => {
  test('is off by default', () => {
    expect(quietly({}).applicationService).toBeUndefined()
  })

  test('takes its tokens from variables', () => {
    expect(quietly(variables).applicationService).toEqual(mode)
  })

  test('takes its tokens from files that variables name', () => {
    const env = { ...server, LIVEKIT_AS_TOKEN_FROM_FILE: '/as', LIVEKIT_HS_TOKEN_FROM_FILE: '/hs' }
    expect(quietly(env, { '/as': `${AS}\n`, '/hs': ` ${HS}\r\n` }).applicationService).toEqual(mode)
  })

  test('takes its tokens from a registration file', () => {
    expect(quietly(file, files(registration())).applicationService).toEqual(mode)
  })

  test.each([
    ['the variables', { LIVEKIT_AS_TOKEN: AS, LIVEKIT_HS_TOKEN: HS }],
    ['one variable', { LIVEKIT_HS_TOKEN: HS }],
  ])('takes a registration file and %s with the same tokens', (_, tokens) => {
    const env = { ...file, ...tokens }
    expect(quietly(env, files(registration())).applicationService).toEqual(mode)
  })

  test.each([
    ['0', 0],
    ['1', 1_000],
    ['86400', 86_400_000],
  ])('checks membership every %s seconds', (text, membershipCheckMs) => {
    const env = { ...variables, LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: text }
    expect(quietly(env).applicationService?.membershipCheckMs).toBe(membershipCheckMs)
  })

  test.each(['0', '60'])('an interval of %s without tokens asks for nothing', (text) => {
    const env = { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: text }
    expect(quietly(env).applicationService).toBeUndefined()
  })
})

const TOKENS = 'LIVEKIT_AS_REGISTRATION_FILE, or LIVEKIT_AS_TOKEN and LIVEKIT_HS_TOKEN'

describe('a contradiction is refused with both its sides:', () => {
  test.each([
    [
      'one token alone',
      { ...variables, LIVEKIT_HS_TOKEN: '' },
      'LIVEKIT_HS_TOKEN: is not set, but LIVEKIT_AS_TOKEN is; ' +
        'expected both, or LIVEKIT_AS_REGISTRATION_FILE',
    ],
    [
      'the other token alone, from a file',
      { ...server, LIVEKIT_HS_TOKEN_FROM_FILE: '/token' },
      'LIVEKIT_AS_TOKEN: is not set, but LIVEKIT_HS_TOKEN_FROM_FILE is; ' +
        'expected both, or LIVEKIT_AS_REGISTRATION_FILE',
    ],
    [
      'tokens without a server name',
      { ...variables, LIVEKIT_HS_SERVER_NAME: '' },
      'LIVEKIT_HS_SERVER_NAME: is not set, but LIVEKIT_AS_TOKEN is; ' +
        'expected the server name of your homeserver, such as "example.com"',
    ],
    [
      'a registration file without a server name',
      { ...file, LIVEKIT_HS_SERVER_NAME: undefined },
      'LIVEKIT_HS_SERVER_NAME: is not set, but LIVEKIT_AS_REGISTRATION_FILE is; ' +
        'expected the server name of your homeserver, such as "example.com"',
    ],
    [
      'a server name without tokens',
      server,
      `LIVEKIT_HS_SERVER_NAME: is set without tokens; expected ${TOKENS} as well`,
    ],
    [
      'an interval without tokens',
      { LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '30' },
      'LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: is set without tokens; ' +
        `expected ${TOKENS} as well`,
    ],
    [
      'two tokens that are the same',
      { ...variables, LIVEKIT_HS_TOKEN: AS },
      'LIVEKIT_HS_TOKEN: is the same as LIVEKIT_AS_TOKEN; expected two different tokens',
    ],
    [
      'a variable with another as_token than the registration file',
      { ...file, LIVEKIT_AS_TOKEN: OTHER },
      'LIVEKIT_AS_TOKEN: is not the token in the file that LIVEKIT_AS_REGISTRATION_FILE names; ' +
        'expected the same, or only one of the two',
    ],
    [
      'a file with another hs_token than the registration file',
      { ...file, LIVEKIT_HS_TOKEN_FROM_FILE: '/token' },
      'LIVEKIT_HS_TOKEN_FROM_FILE: is not the token in the file that ' +
        'LIVEKIT_AS_REGISTRATION_FILE names; expected the same, or only one of the two',
    ],
    [
      'a server name that no namespace covers',
      { ...file, LIVEKIT_HS_SERVER_NAME: 'example.org' },
      'LIVEKIT_HS_SERVER_NAME: names a server whose users are in no namespace of the file that ' +
        'LIVEKIT_AS_REGISTRATION_FILE names; ' +
        'expected "namespaces", "users" to have a regex for the users of this server',
    ],
  ])('%s', (_, env, problem) => {
    const all = { ...files(registration()), '/token': OTHER }
    expect(problemsOf(env, all)).toEqual([problem])
    expect(warningsOf(env, all)).toEqual([])
  })

  test('of a variable and its file, the file is named', () => {
    const env = { ...file, LIVEKIT_HS_TOKEN: HS, LIVEKIT_HS_TOKEN_FROM_FILE: '/token' }
    const all = { ...files(registration()), '/token': OTHER }
    expect(problemsOf(env, all)).toEqual([
      'LIVEKIT_HS_TOKEN_FROM_FILE: is not the token in the file that ' +
        'LIVEKIT_AS_REGISTRATION_FILE names; expected the same, or only one of the two',
    ])
    expect(warningsOf(env, all)).toEqual([
      'LIVEKIT_HS_TOKEN: is ignored, since LIVEKIT_HS_TOKEN_FROM_FILE is set',
    ])
  })

  test('several at once', () => {
    const env = {
      LIVEKIT_AS_TOKEN: OTHER,
      LIVEKIT_HS_TOKEN: OTHER,
      LIVEKIT_AS_REGISTRATION_FILE: '/registration.yaml',
    }
    const variablesOf = problemsOf(env, files(registration())).map((each) => each.split(':')[0])
    expect(variablesOf).toEqual(['LIVEKIT_HS_SERVER_NAME', 'LIVEKIT_AS_TOKEN', 'LIVEKIT_HS_TOKEN'])
  })
})

describe('a value is refused by itself:', () => {
  const token = 'expected a token of printable ASCII characters without spaces, such as'
  const asToken = `${token} "a-token-of-at-least-thirty-two-characters"`
  const hsToken = `${token} "another-token-of-at-least-32-characters"`
  const seconds = 'expected a whole number of seconds from 0 to 86400, such as "30"'

  test.each([
    ['LIVEKIT_AS_TOKEN', `${AS} `, `begins or ends with a space; ${asToken}`],
    ['LIVEKIT_AS_TOKEN', `'${AS}\t'`, `is in quotes; ${asToken}`],
    ['LIVEKIT_HS_TOKEN', `${HS}\t${HS}`, `contains a space; ${hsToken}`],
    [
      'LIVEKIT_HS_TOKEN',
      `${HS}\r\nX-Matrix-Origin: example.com`,
      `contains a line break; ${hsToken}`,
    ],
    ['LIVEKIT_AS_TOKEN', `${AS}é`, `contains a character beyond ASCII; ${asToken}`],
    ['LIVEKIT_AS_TOKEN', `${AS}\u200b`, `contains an invisible character; ${asToken}`],
    [
      'LIVEKIT_HS_SERVER_NAME',
      'https://example.com',
      'is a URL; expected a server name, as in user IDs, such as "example.com"',
    ],
    ['LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS', '86401', `is 86401, above 86400; ${seconds}`],
    [
      'LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS',
      '1m',
      `has letters behind the number; ${seconds}`,
    ],
    [
      'LIVEKIT_AS_REGISTRATION_FILE',
      'registration.yaml',
      'does not begin like a path; expected a path that begins with "/", "./" or "../", ' +
        'such as "/data/registration.yaml"',
    ],
  ])('%s=%p', (variable, text, problem) => {
    expect(problemsOf({ ...variables, [variable]: text })).toEqual([`${variable}: ${problem}`])
  })

  test('a registration file that is not there', () => {
    expect(problemsOf(file)).toEqual([`LIVEKIT_AS_REGISTRATION_FILE: ${NO_FILE}`])
    expect(problemsIn(' \n')).toEqual([
      'LIVEKIT_AS_REGISTRATION_FILE: names a file that is empty; ' +
        'expected a registration file, as "jwt-service registration" prints one, in it',
    ])
  })
})

describe('a token of fewer than 32 characters is warned about', () => {
  const short = 'x'.repeat(31)
  const warning = 'is shorter than 32 characters: it can be guessed; use a longer, random one'

  test.each(['LIVEKIT_AS_TOKEN', 'LIVEKIT_HS_TOKEN'])('in %s', (name) => {
    expect(warningsOf({ ...variables, [name]: short })).toEqual([`${name}: ${warning}`])
    expect(warningsOf({ ...variables, [name]: `${short}x` })).toEqual([])
  })

  test('in the registration file', () => {
    expect(warningsIn(registration({ hs: `hs_token: ${short}` }))).toEqual([
      `LIVEKIT_AS_REGISTRATION_FILE: names a file whose "hs_token" ${warning}`,
    ])
  })
})

describe('the registration file', () => {
  test.each([
    ['with comments and another order', `# secret\n${registration({ id: '' })}\nid: x`],
    ['with a byte order mark and CRLF', `\ufeff${registration().replaceAll('\n', '\r\n')}`],
    ['that is indented as a whole', registration().replace(/^/gm, '  ')],
    ['in JSON', JSON.stringify(Bun.YAML.parse(registration()))],
    ['with an alias', registration({ id: `id: &id livekit`, sender: 'sender_localpart: *id' })],
    ['with a token over two lines', registration({ as: `as_token: >-\n  ${AS}` })],
    [
      'with stable keys alone',
      registration({
        scopes: 'scopes: ["urn:matrix:client:rooms:is_joined"]',
        prefix: 'proxy_prefix: rtc/livekit/',
      }),
    ],
  ])('is taken %s', (_, text) => {
    expect(quietly(file, files(text)).applicationService).toEqual(mode)
  })

  const nested = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
  const aliases = [...Array(12).keys()].map((n) => {
    return `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join()}]`
  })
  const noYaml = 'names a file that is not YAML with one key per line; expected a registration file'

  test.each([
    ['is not YAML', 'as_token: [', noYaml],
    ['is a token', AS, noYaml],
    ['is a list', `- as_token: ${AS}`, noYaml],
    ['is more than one document', `${registration()}\n---\n${registration()}`, noYaml],
    ['is nested too deep', `${registration()}\nx: ${nested}`.slice(0, 65_000), noYaml],
    [
      'has aliases that multiply',
      [registration(), 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]', ...aliases].join('\n'),
      noYaml,
    ],
    [
      'is too large',
      registration().padEnd(65_537, '\n#'),
      'names a file of more than 65536 characters; expected a registration file',
    ],
    [
      'has no as_token',
      registration({ as: '' }),
      'names a file without "as_token"; expected a registration file with it',
    ],
    [
      'has no hs_token',
      registration({ hs: 'hs_token:' }),
      'names a file without "hs_token"; expected a registration file with it',
    ],
    [
      'has a number as token',
      registration({ hs: 'hs_token: 12345678901234567890123456789012' }),
      'names a file whose "hs_token" is not text; expected it in quotes',
    ],
    [
      'has a list as token',
      registration({ as: `as_token: [${AS}]` }),
      'names a file whose "as_token" is not text; expected it in quotes',
    ],
    [
      'has a token with a space',
      registration({ as: `as_token: ${AS} ${AS}` }),
      'names a file whose "as_token" contains a space; ' +
        'expected a token of printable ASCII characters without spaces',
    ],
    [
      'has one token twice',
      registration({ hs: `hs_token: ${AS}` }),
      'names a file whose "as_token" is its "hs_token" too; expected two different tokens',
    ],
    [
      'has another prefix',
      registration({ prefix: 'io.element.msc4512.proxy_prefix: rtc/livekit/jwt' }),
      'names a file with another "io.element.msc4512.proxy_prefix"; expected "rtc/livekit", ' +
        'or nothing gets here',
    ],
    [
      'has another prefix under the stable key',
      registration({ id: 'proxy_prefix: [rtc/livekit]' }),
      'names a file with another "proxy_prefix"; expected "rtc/livekit", or nothing gets here',
    ],
  ])('is refused when it %s', (_, text, problem) => {
    expect(problemsIn(text)).toEqual([`LIVEKIT_AS_REGISTRATION_FILE: ${problem}`])
  })

  test.each([
    '',
    'namespaces: []',
    'namespaces: { users: [] }',
    'namespaces: { users: { regex: ".*" } }',
    'namespaces: { users: [".*", { exclusive: false }, { regex: 1 }] }',
    'namespaces: { rooms: [{ exclusive: false, regex: ".*" }] }',
  ])('is refused without a namespace of users: %p', (users) => {
    const problems = problemsIn(registration({ users }))
    expect(problems.map((each) => each.split(' whose ')[0])).toEqual([
      'LIVEKIT_HS_SERVER_NAME: names a server',
    ])
  })

  test('is taken when any of its namespaces may hold users of the server', () => {
    const users =
      'namespaces: { users: [{ regex: "@.*:example.org$" }, { regex: "@.*:example.com" }] }'
    expect(quietly(file, files(registration({ users }))).applicationService).toEqual(mode)
  })

  test.each([
    [
      'limits rates',
      { limit: 'rate_limited: true' },
      'names a file without "rate_limited: false": the homeserver limits how often delayed leave ' +
        'events of a user are restarted',
    ],
    [
      'does not say whether rates are limited',
      { limit: '' },
      'names a file without "rate_limited: false": the homeserver limits how often delayed leave ' +
        'events of a user are restarted',
    ],
    [
      'lacks the scope',
      { scopes: 'scopes: ["urn:matrix:client:io.element.msc4502:rooms:is_joined"]' },
      'names a file without "urn:matrix:client:rooms:is_joined" in "scopes" or ' +
        '"urn:matrix:client:io.element.msc4502:rooms:is_joined" in "io.element.msc4502.scopes": ' +
        'the homeserver does not say who is in a room',
    ],
    [
      'lacks the prefix',
      { prefix: '' },
      'names a file without "proxy_prefix": the homeserver forwards no requests to this service',
    ],
  ])('is warned about when it %s', (_, lines, warning) => {
    expect(warningsIn(registration(lines))).toEqual([`LIVEKIT_AS_REGISTRATION_FILE: ${warning}`])
    expect(load(file, files(registration(lines))).config?.applicationService).toEqual(mode)
  })
})
