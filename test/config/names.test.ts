import { expect, test } from 'bun:test'
import { variablesOf } from '../../src/config/setting.ts'
import { ALL_SETTINGS } from '../../src/config/settings.ts'
import { problemsOf, quietly, warningsOf } from './loading.ts'

test.each([
  ['LIVEKIT_SECERT', 'LIVEKIT_SECRET'],
  ['LIVEKIT_ULR', 'LIVEKIT_URL'],
  ['LIVEKIT_FULL_ACCES_HOMESERVER', 'LIVEKIT_FULL_ACCESS_HOMESERVERS'],
  ['LIVEKIT_FULL_ACCESS', 'LIVEKIT_FULL_ACCESS_HOMESERVERS'],
  ['LIVEKIT_TOKEN_TTL', 'LIVEKIT_TOKEN_TTL_SECONDS'],
  ['LIVEKIT_SECRET_FILE', 'LIVEKIT_KEY_FILE or LIVEKIT_SECRET_FROM_FILE'],
  ['LIVEKIT_REDIS', 'LIVEKIT_REDIS_URL or LIVEKIT_REDIS_PASSWORD'],
  ['LIVEKIT_BIND_JWT', 'LIVEKIT_JWT_BIND'],
  ['LIVEKIT_JWT_BIND_ADDRESS', 'LIVEKIT_JWT_BIND'],
  ['LIVEKIT_SECRET_FROMFILE', 'LIVEKIT_SECRET_FROM_FILE'],
  ['LIVEKIT_JWT_BINDS', 'LIVEKIT_JWT_BIND'],
  ['LIVEKIT_RATELIMIT', 'LIVEKIT_RATE_LIMIT'],
])('warns about the unknown name %s and proposes %s', (name, proposed) => {
  expect(warningsOf({ [name]: 'hunter2' })).toEqual([
    `${name}: is not a known setting; did you mean ${proposed}?`,
  ])
})

test.each([
  ['LIVEKIT_LOCAL_HOMESERVER', 'LIVEKIT_FULL_ACCESS_HOMESERVERS'],
  ['LIVEKIT_LOCAL', 'LIVEKIT_FULL_ACCESS_HOMESERVERS'],
  ['LIVEKIT_JTW_PORT', 'LIVEKIT_JWT_BIND'],
])('%s is near a deprecated name, so its replacement %s is proposed', (name, proposed) => {
  expect(warningsOf({ [name]: 'hunter2' })).toEqual([
    `${name}: is not a known setting; did you mean ${proposed}?`,
  ])
})

test.each(['LIVEKIT_', 'LIVEKIT__', 'LIVEKIT_GREETING', 'LIVEKIT_WEBHOOK_RETRIES'])(
  'proposes nothing for %s, which is near no known name',
  (name) => {
    expect(warningsOf({ [name]: 'hunter2' })).toEqual([`${name}: is not a known setting`])
  },
)

/** Deprecated names, which still work. */
const DEPRECATED = ['LIVEKIT_LOCAL_HOMESERVERS', 'LIVEKIT_JWT_PORT']

test.each([...ALL_SETTINGS.flatMap(variablesOf)])(
  'proposes no deprecated name for anything that is like %s',
  (known) => {
    for (let at = 'LIVEKIT_'.length; at < known.length; at += 1) {
      for (const typo of [
        known.slice(0, at) + known.slice(at + 1),
        `${known.slice(0, at)}X${known.slice(at)}`,
        known.slice(0, at),
      ]) {
        for (const warning of warningsOf({ [typo]: 'x' })) {
          const [, proposals = ''] = warning.split('did you mean')
          for (const name of DEPRECATED) expect(proposals).not.toContain(name)
        }
      }
    }
  },
)

test.each([
  ['LIVEKIT_URL_FROM_FILE', 'LIVEKIT_URL'],
  ['LIVEKIT_KEY_FILE_FROM_FILE', 'LIVEKIT_KEY_FILE'],
  ['LIVEKIT_JWT_PORT_FROM_FILE', 'LIVEKIT_JWT_BIND'],
])('for %s, which cannot come from a file, %s is proposed', (name, proposed) => {
  expect(warningsOf({ [name]: 'hunter2' })).toEqual([
    `${name}: is not a known setting; did you mean ${proposed}?`,
  ])
})

test('all unknown names are warned about', () => {
  expect(warningsOf({ LIVEKIT_URLS: 'x', LIVEKIT_KEYS: 'x' })).toEqual([
    'LIVEKIT_KEYS: is not a known setting; did you mean LIVEKIT_KEY?',
    'LIVEKIT_URLS: is not a known setting; did you mean LIVEKIT_URL?',
  ])
})

test('an unknown name that is empty, or of something else, is nobody’s business', () => {
  expect(() => quietly({ LIVEKIT_SECERT: '', LIVEKITURL: 'x', PATH: '/bin' })).not.toThrow()
})

test('names that Kubernetes sets for services are not warned about', () => {
  const links = {
    LIVEKIT_JWT_PORT: 'tcp://10.0.0.1:8080',
    LIVEKIT_JWT_SERVICE_HOST: '10.0.0.1',
    LIVEKIT_JWT_SERVICE_PORT: '8080',
    LIVEKIT_JWT_SERVICE_PORT_HTTP: '8080',
    LIVEKIT_JWT_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
    LIVEKIT_JWT_PORT_8080_TCP_PROTO: 'tcp',
    LIVEKIT_JWT_PORT_8080_TCP_PORT: '8080',
    LIVEKIT_JWT_PORT_8080_TCP_ADDR: '10.0.0.1',
    LIVEKIT_SERVICE_HOST: '10.0.0.2',
    LIVEKIT_PORT: 'udp://10.0.0.2:7882',
    LIVEKIT_PORT_7882_UDP: 'udp://10.0.0.2:7882',
  }
  expect(quietly(links).bind).toEqual({ host: undefined, port: 8080 })
})

test('every mistake is reported, not only the first', () => {
  const env = {
    LIVEKIT_URL: 'nowhere',
    LIVEKIT_KEY: undefined,
    LIVEKIT_SECRET_FROM_FILE: '/secret',
    LIVEKIT_TOKEN_TTL_SECONDS: '1',
    LIVEKIT_FULL_ACCESS_HOMESERVERS: '*,example.com',
    LIVEKIT_JWT_BIND: '8080',
    LIVEKIT_JWT_PORT: '8080',
    LIVEKIT_STATE_FILE: 'state',
    LIVEKIT_RATE_LIMIT: '10',
  }
  expect(problemsOf(env).map((problem) => problem.split(':')[0])).toEqual([
    'LIVEKIT_URL',
    'LIVEKIT_KEY',
    'LIVEKIT_SECRET_FROM_FILE',
    'LIVEKIT_FULL_ACCESS_HOMESERVERS',
    'LIVEKIT_TOKEN_TTL_SECONDS',
    'LIVEKIT_JWT_PORT',
    'LIVEKIT_JWT_BIND',
    'LIVEKIT_RATE_LIMIT',
    'LIVEKIT_STATE_FILE',
  ])
})
