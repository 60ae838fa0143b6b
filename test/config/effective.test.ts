import { expect, test } from 'bun:test'
import { describeSettings } from '../../src/config/help.ts'
import { required } from './loading.ts'

const defaults = {
  LIVEKIT_URL: 'wss://livekit.example.com',
  LIVEKIT_INTERNAL_URL: 'default: LIVEKIT_URL',
  LIVEKIT_KEY: 'set',
  LIVEKIT_SECRET: 'set',
  LIVEKIT_KEY_FILE: 'default: none',
  LIVEKIT_TOKEN_TTL_SECONDS: 'default: 3600',
  LIVEKIT_CAN_UPDATE_OWN_METADATA: 'default: false',
  LIVEKIT_RESTRICTED_CAN_PUBLISH: 'default: true',
  LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com',
  LIVEKIT_JWT_BIND: 'default: :8080',
  LIVEKIT_JWT_PORT: 'default: none',
  LIVEKIT_SWAGGER: 'default: on',
  LIVEKIT_LOG_LEVEL: 'default: info',
  LIVEKIT_LOG_FORMAT: 'default: "pretty" on a terminal, else "json"',
  LIVEKIT_SHUTDOWN_DELAY_SECONDS: 'default: 0',
  LIVEKIT_SHUTDOWN_GRACE_SECONDS: 'default: 10',
  LIVEKIT_FEDERATION_URL_OVERRIDES: 'default: none',
  LIVEKIT_FEDERATION_DENY_NETWORKS:
    'default: every range that is not publicly routable, ' +
    'but no private one while everyone has full access',
  LIVEKIT_FEDERATION_ALLOW_NETWORKS: 'default: none',
  LIVEKIT_INSECURE_SKIP_VERIFY_TLS: 'default: certificates are checked',
  LIVEKIT_CS_API_URL_OVERRIDES: 'default: none',
  LIVEKIT_REDIS_URL: 'not set',
  LIVEKIT_REDIS_PASSWORD: 'not set',
  LIVEKIT_STATE_FILE: 'default: in memory',
  LIVEKIT_MAX_DELEGATIONS_PER_USER: 'default: 100',
  LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS:
    'default: 0 (no more often than delayed events are restarted)',
  LIVEKIT_AS_REGISTRATION_FILE: 'default: none',
  LIVEKIT_AS_TOKEN: 'not set',
  LIVEKIT_HS_TOKEN: 'not set',
  LIVEKIT_HS_SERVER_NAME: 'default: required in application-service mode',
  LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: 'default: 60',
  LIVEKIT_RATE_LIMIT: 'default: on (an address: 50/1000; a user: 2/20)',
  LIVEKIT_TRUSTED_PROXIES: 'default: loopback and private networks',
  LIVEKIT_METRICS_BIND: 'default: off',
}

test('the effective configuration names every setting, and of secrets only that they are set', () => {
  expect(describeSettings(required)).toEqual(defaults)
})

test('the effective configuration shows what is given', () => {
  const env = {
    ...required,
    LIVEKIT_KEY: '',
    LIVEKIT_API_KEY_FROM_FILE: '/key',
    LIVEKIT_SECRET: undefined,
    LIVEKIT_TOKEN_TTL_SECONDS: '60',
    LIVEKIT_FULL_ACCESS_HOMESERVERS: '',
    LIVEKIT_LOCAL_HOMESERVERS: 'example.org',
    LIVEKIT_LOG_LEVEL: 'Warning',
    LIVEKIT_SWAGGER: ' ',
    LIVEKIT_RATE_LIMIT: 'off',
    LIVEKIT_CS_API_URL_OVERRIDES: 'example.com=http://synapse:8008',
    LIVEKIT_REDIS_URL_FROM_FILE: '/run/secrets/redis',
    LIVEKIT_REDIS_PASSWORD: 'hunter2',
    LIVEKIT_STATE_FILE: '/data/state.sqlite',
    LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: '60',
  }
  expect(describeSettings(env)).toEqual({
    ...defaults,
    LIVEKIT_SECRET: 'not set',
    LIVEKIT_TOKEN_TTL_SECONDS: '60',
    LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.org',
    LIVEKIT_LOG_LEVEL: 'Warning',
    LIVEKIT_RATE_LIMIT: 'off',
    LIVEKIT_CS_API_URL_OVERRIDES: 'example.com=http://synapse:8008',
    LIVEKIT_REDIS_URL: 'set',
    LIVEKIT_REDIS_PASSWORD: 'set',
    LIVEKIT_STATE_FILE: '/data/state.sqlite',
    LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: '60',
  })
})

test('the effective configuration shows the default where another text is not heeded', () => {
  const env = {
    ...required,
    LIVEKIT_LOG_LEVEL: 'trace',
    LIVEKIT_INSECURE_SKIP_VERIFY_TLS: 'true',
    LIVEKIT_JWT_PORT: 'tcp://10.0.0.1:8080',
  }
  expect(describeSettings(env)).toEqual(defaults)
})

test('of application-service mode the effective configuration shows no token', () => {
  const env = {
    ...required,
    LIVEKIT_AS_REGISTRATION_FILE: '/data/registration.yaml',
    LIVEKIT_AS_TOKEN: 'hunter2',
    LIVEKIT_HS_TOKEN_FROM_FILE: '/run/secrets/hs_token',
    LIVEKIT_HS_SERVER_NAME: 'example.com',
    LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '0',
  }
  expect(describeSettings(env)).toEqual({
    ...defaults,
    LIVEKIT_AS_REGISTRATION_FILE: '/data/registration.yaml',
    LIVEKIT_AS_TOKEN: 'set',
    LIVEKIT_HS_TOKEN: 'set',
    LIVEKIT_HS_SERVER_NAME: 'example.com',
    LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '0',
  })
})
