import { expect, test } from 'bun:test'
import { helpText, settingHelp } from '../../src/config/guide.ts'
import { noteLine } from '../../src/config/reader.ts'
import { variablesOf } from '../../src/config/setting.ts'
import { ALL_SETTINGS, GUIDE_GROUPS, SETTINGS } from '../../src/config/settings.ts'

const help = helpText('1.2.3')
const GUIDES = GUIDE_GROUPS.flatMap(({ guides }) => guides)

test('the help names the version and the commands', () => {
  expect(help).toStartWith('jwt-service-ts 1.2.3: LiveKit access tokens for Matrix users\n')
  for (const command of ['serve', 'healthcheck', 'dashboard', 'alerts', '--help', '--version']) {
    expect(help).toMatch(new RegExp(`^ {2}${command} {2,}\\S`, 'm'))
  }
})

test('the help names the arguments of registration', () => {
  expect(help).toContain('\n  registration --url URL --server-name NAME\n')
})

/** What the list says about one variable, in one line. */
function entryOf(name: string): string {
  const [, rest = ''] = help.split(`\n  ${name}\n`)
  const [entry = ''] = rest.split(/^ {0,2}\S/m)
  return entry.trim().replace(/\s+/g, ' ')
}

test('the help names every variable with its default', () => {
  for (const { name, defaultText } of GUIDES) {
    expect(entryOf(name)).toEndWith(` default: ${defaultText}`)
  }
})

test('the help lists variables by what they are about', () => {
  expect(help.match(/^[A-Z][^:\n]*:$/gm)).toEqual([
    'Commands:',
    'LiveKit:',
    'Who may do what:',
    'HTTP:',
    'Logs, metrics and stopping:',
    'Reaching homeservers:',
    'Delegated leave events and state:',
    'Application-service mode:',
    'Variables of the runtime:',
  ])
})

test('the help names every alias and the files', () => {
  for (const setting of Object.values(SETTINGS)) {
    for (const variable of variablesOf(setting).slice(1)) {
      if (setting.aliases.some((alias) => variable === `${alias}_FROM_FILE`)) continue
      expect(entryOf(setting.name)).toContain(variable)
    }
  }
})

test.each([
  ['LIVEKIT_URL', 'required'],
  ['LIVEKIT_INTERNAL_URL', 'LIVEKIT_URL'],
  ['LIVEKIT_KEY', 'required'],
  ['LIVEKIT_SECRET', 'required'],
  ['LIVEKIT_KEY_FILE', 'none'],
  ['LIVEKIT_TOKEN_TTL_SECONDS', '3600'],
  ['LIVEKIT_CAN_UPDATE_OWN_METADATA', 'false'],
  ['LIVEKIT_RESTRICTED_CAN_PUBLISH', 'true'],
  ['LIVEKIT_FULL_ACCESS_HOMESERVERS', '* (with a warning)'],
  ['LIVEKIT_JWT_BIND', ':8080'],
  ['LIVEKIT_JWT_PORT', 'none'],
  ['LIVEKIT_SWAGGER', 'on'],
  ['LIVEKIT_LOG_LEVEL', 'info'],
  ['LIVEKIT_LOG_FORMAT', '"pretty" on a terminal, else "json"'],
  ['LIVEKIT_SHUTDOWN_DELAY_SECONDS', '0'],
  ['LIVEKIT_SHUTDOWN_GRACE_SECONDS', '10'],
  ['LIVEKIT_FEDERATION_URL_OVERRIDES', 'none'],
  ['LIVEKIT_FEDERATION_ALLOW_NETWORKS', 'none'],
  ['LIVEKIT_INSECURE_SKIP_VERIFY_TLS', 'certificates are checked'],
  ['NODE_EXTRA_CA_CERTS', 'none'],
  ['LIVEKIT_CS_API_URL_OVERRIDES', 'none'],
  ['LIVEKIT_REDIS_URL', 'none'],
  ['LIVEKIT_REDIS_PASSWORD', 'that in LIVEKIT_REDIS_URL'],
  ['LIVEKIT_STATE_FILE', 'in memory'],
  ['LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS', '0 (no more often than delayed events are restarted)'],
  ['LIVEKIT_AS_REGISTRATION_FILE', 'none'],
  ['LIVEKIT_AS_TOKEN', 'that in LIVEKIT_AS_REGISTRATION_FILE'],
  ['LIVEKIT_HS_TOKEN', 'that in LIVEKIT_AS_REGISTRATION_FILE'],
  ['LIVEKIT_HS_SERVER_NAME', 'required in application-service mode'],
  ['LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS', '60'],
])('the help gives the default of %s as %s', (name, byDefault) => {
  expect(entryOf(name).split('default: ')[1]).toBe(byDefault)
})

test('the help stays within 100 columns', () => {
  const manuals = GUIDES.map(({ name }) => manualOf(name))
  const lines = [help, ...manuals].flatMap((text) => text.split('\n'))
  expect(lines.filter((line) => line.length > 100)).toEqual([])
})

/** The text of `--help NAME`. */
function manualOf(name: string): string {
  const about = settingHelp(name)
  return 'text' in about ? about.text : expect.unreachable(noteLine(about.unknown))
}

test.each(GUIDES)('the help about $name has all its parts', (guide) => {
  const { name, aliases, fromFile, defaultText, details, example } = guide
  const text = manualOf(name)
  expect(text).toStartWith(`${name}\n\n`)
  const flat = text.replace(/\s+/g, ' ')
  expect(flat).toContain(details.trim().replace(/\s+/g, ' '))
  expect(flat).toContain(` default: ${defaultText} `)
  expect(text).toContain(`\nexample:   ${name}=${example}\n`)
  for (const alias of aliases) expect(flat).toMatch(new RegExp(` alias: .*${alias}`))
  expect(text.includes(`${name}_FROM_FILE`)).toBe(fromFile)
})

test('the help about a setting is this', () => {
  expect(manualOf('LIVEKIT_REDIS_PASSWORD')).toBe(`LIVEKIT_REDIS_PASSWORD

The password for Redis as it is, not percent-encoded. It wins over the one in LIVEKIT_REDIS_URL, and
is ignored, with a warning, while that is not set.

default:   that in LIVEKIT_REDIS_URL
file:      the value can be in a file that LIVEKIT_REDIS_PASSWORD_FROM_FILE names; white space
           around it does not count, and where both are set the file wins, with a warning
example:   LIVEKIT_REDIS_PASSWORD=a-long-random-password
           LIVEKIT_REDIS_PASSWORD_FROM_FILE=/run/secrets/livekit_redis_password
`)
})

test('every setting is explained in whole sentences, and names only settings that there are', () => {
  const known = GUIDES.flatMap(variablesOf)
  for (const { name, meaning, details } of GUIDES) {
    expect(details.trim(), name).toMatch(/^["\w][\s\S]+[.]$/)
    expect(meaning, name).not.toMatch(/\.$/)
    for (const [mentioned] of `${meaning} ${details}`.matchAll(/\bLIVEKIT_\w+/g)) {
      expect(known).toContain(mentioned)
    }
  }
})

test.each([...ALL_SETTINGS])('the example of $name is taken by its own parser', (setting) => {
  expect(setting.parse(setting.example)).toEqual({ ok: true, value: expect.anything() })
})

test('no setting is missing in the help', () => {
  expect(GUIDES).toEqual(expect.arrayContaining([...ALL_SETTINGS]))
})

test.each([
  ['livekit_url', 'LIVEKIT_URL'],
  ['LIVEKIT_API_SECRET', 'LIVEKIT_SECRET'],
  ['LIVEKIT_SECRET_FROM_FILE', 'LIVEKIT_SECRET'],
  ['Livekit_Api_Key_From_File', 'LIVEKIT_KEY'],
  ['LIVEKIT_LOCAL_HOMESERVERS', 'LIVEKIT_FULL_ACCESS_HOMESERVERS'],
  ['node_extra_ca_certs', 'NODE_EXTRA_CA_CERTS'],
  ['https_proxy', 'HTTPS_PROXY'],
])('the help about %s is that about %s', (typed, name) => {
  expect(manualOf(typed)).toBe(manualOf(name))
})

test.each([
  ['LIVEKIT_SECERT', 'LIVEKIT_SECERT', '; did you mean LIVEKIT_SECRET?'],
  ['livekit_token_ttl', 'LIVEKIT_TOKEN_TTL', '; did you mean LIVEKIT_TOKEN_TTL_SECONDS?'],
  ['jwt_bind', 'JWT_BIND', '; did you mean LIVEKIT_JWT_BIND?'],
  ['LIVEKIT_URL_FROM_FILE', 'LIVEKIT_URL_FROM_FILE', '; did you mean LIVEKIT_URL?'],
  ['LIVEKIT_GREETING', 'LIVEKIT_GREETING', ''],
  ['', '', ''],
])('there is no help about %p', (typed, setting, question) => {
  expect(settingHelp(typed)).toEqual({
    unknown: {
      setting,
      text: `is not a known setting${question}`,
      code: 'configuration.unknown-setting',
    },
  })
})
