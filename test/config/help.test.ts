import { expect, test } from 'bun:test'
import { helpText } from '../../src/config/help.ts'
import { variablesOf } from '../../src/config/setting.ts'
import { ALL_SETTINGS, SETTINGS } from '../../src/config/settings.ts'

const help = helpText('1.2.3')

test('the help names the version and the commands', () => {
  expect(help).toStartWith('jwt-service-ts 1.2.3: LiveKit access tokens for Matrix users\n')
  for (const command of ['serve', 'healthcheck', 'dashboard', 'alerts', '--help', '--version']) {
    expect(help).toMatch(new RegExp(`^ {2}${command} {2,}\\S`, 'm'))
  }
})

test('the help names the arguments of registration', () => {
  expect(help).toContain('\n  registration --url URL --server-name NAME\n')
})

test('the help names every variable with its default', () => {
  for (const { name, defaultText } of ALL_SETTINGS) {
    const [, entry = ''] = help.split(`\n  ${name}\n`)
    expect(entry.split(/^ {2}\S/m)[0]).toContain(`default: ${defaultText}\n`)
  }
})

test('the help names every alias and the files', () => {
  for (const setting of Object.values(SETTINGS)) {
    const [, entry = ''] = help.split(`\n  ${setting.name}\n`)
    const text = entry.split(/^ {2}\S/m)[0]
    for (const variable of variablesOf(setting).slice(1)) {
      if (setting.aliases.some((alias) => variable === `${alias}_FROM_FILE`)) continue
      expect(text).toContain(variable)
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
  const entry = help.split(`\n  ${name}\n`)[1]?.split('default: ')[1]
  expect(entry?.split('\n')[0]).toBe(byDefault)
})

test('the help stays within the width of a wide terminal', () => {
  expect(help.split('\n').filter((line) => line.length > 140)).toEqual([])
})
