import { expect, test } from 'bun:test'
import { describeSettings } from '../../src/config/guide.ts'
import { required } from './loading.ts'

const shown = {
  LIVEKIT_URL: 'wss://livekit.example.com',
  LIVEKIT_KEY: '(set)',
  LIVEKIT_SECRET: '(set)',
  LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com',
}

test('the configuration shows what is set, and of secrets only that', () => {
  expect(describeSettings(required)).toEqual(shown)
})

test('the configuration shows each setting by the variable that counts, as it was written', () => {
  const env = {
    ...required,
    LIVEKIT_KEY: '',
    LIVEKIT_API_KEY_FROM_FILE: '/key',
    LIVEKIT_SECRET_FROM_FILE: '/secret',
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
    LIVEKIT_URL: 'wss://livekit.example.com',
    LIVEKIT_API_KEY_FROM_FILE: '(set)',
    LIVEKIT_SECRET_FROM_FILE: '(set)',
    LIVEKIT_TOKEN_TTL_SECONDS: '60',
    LIVEKIT_LOCAL_HOMESERVERS: 'example.org',
    LIVEKIT_LOG_LEVEL: 'Warning',
    LIVEKIT_RATE_LIMIT: 'off',
    LIVEKIT_CS_API_URL_OVERRIDES: 'example.com=http://synapse:8008',
    LIVEKIT_REDIS_URL_FROM_FILE: '(set)',
    LIVEKIT_REDIS_PASSWORD: '(set)',
    LIVEKIT_STATE_FILE: '/data/state.sqlite',
    LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS: '60',
  })
})

test('the configuration shows no text that is not heeded', () => {
  const env = {
    ...required,
    LIVEKIT_LOG_LEVEL: 'trace',
    LIVEKIT_INSECURE_SKIP_VERIFY_TLS: 'true',
    LIVEKIT_JWT_PORT: 'tcp://10.0.0.1:8080',
  }
  expect(describeSettings(env)).toEqual(shown)
})

test('of application-service mode the configuration shows no token', () => {
  const env = {
    ...required,
    LIVEKIT_AS_REGISTRATION_FILE: '/data/registration.yaml',
    LIVEKIT_AS_TOKEN: 'hunter2',
    LIVEKIT_HS_TOKEN_FROM_FILE: '/run/secrets/hs_token',
    LIVEKIT_HS_SERVER_NAME: 'example.com',
    LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '0',
  }
  expect(describeSettings(env)).toEqual({
    ...shown,
    LIVEKIT_AS_REGISTRATION_FILE: '/data/registration.yaml',
    LIVEKIT_AS_TOKEN: '(set)',
    LIVEKIT_HS_TOKEN_FROM_FILE: '(set)',
    LIVEKIT_HS_SERVER_NAME: 'example.com',
    LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '0',
  })
})
