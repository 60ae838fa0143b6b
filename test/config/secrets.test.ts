import { expect, test } from 'bun:test'
import { describeSettings } from '../../src/config/guide.ts'
import { variablesOf } from '../../src/config/setting.ts'
import { ALL_SETTINGS } from '../../src/config/settings.ts'
import { type Environment, type Files, load, required } from './loading.ts'

/** What an operator may paste into the wrong place; each holds the secret. */
const secret = 'hunter2+Zm9v/YmFy'
const pasted = [
  secret,
  `devkey: ${secret}`,
  `key:${secret}:8080`,
  `wss://devkey:${secret}@livekit.example.com`,
  `wss://livekit.example.com?secret=${secret}`,
  `wss://livekit.example.com#${secret}`,
  `redis://:${secret}@redis:6379`,
  `rediss://user:${encodeURIComponent(secret)}@redis:6379/1`,
  `redis://redis:6379?password=${secret}`,
  `https://user:${secret}@example.com=x`,
  `example.com=https://user:${secret}@synapse:8008`,
  `example.com,${secret}`,
  `10.0.0.0/8,${secret}`,
  `LIVEKIT_SECRET=${secret}`,
  `"${secret}"`,
]

const variables = [...ALL_SETTINGS.flatMap(variablesOf), 'LIVEKIT_SECERT']

/** All that people and logs are shown of an environment. */
function shown(env: Environment, files: Files = {}): string {
  const { config, problems, warnings } = load(env, files)
  const settings = config === undefined ? {} : describeSettings({ ...required, ...env })
  return JSON.stringify([problems, warnings, settings])
}

test.each(variables)('a secret that is pasted into %s shows up nowhere', (variable) => {
  for (const text of pasted) expect(shown({ [variable]: text })).not.toContain('hunter2')
})

test.each(variables)('a secret in a file that %s names shows up nowhere', (variable) => {
  for (const text of pasted) {
    expect(shown({ [variable]: '/file' }, { '/file': text })).not.toContain('hunter2')
  }
})

test('a Redis URL and a Redis password that are mixed up show up nowhere', () => {
  const url = `redis://:${secret}@redis:6379`
  for (const [redisUrl, redisPassword] of [
    [url, url],
    [secret, url],
    [secret, secret],
    [undefined, url],
    [url, undefined],
  ]) {
    const env = { LIVEKIT_REDIS_URL: redisUrl, LIVEKIT_REDIS_PASSWORD: redisPassword }
    expect(shown(env)).not.toContain('hunter2')
    const fromFiles = {
      LIVEKIT_REDIS_URL_FROM_FILE: redisUrl === undefined ? undefined : '/url',
      LIVEKIT_REDIS_PASSWORD_FROM_FILE: redisPassword === undefined ? undefined : '/password',
    }
    const files = { '/url': redisUrl ?? '', '/password': redisPassword ?? '' }
    expect(shown(fromFiles, files)).not.toContain('hunter2')
  }
})

test('the secrets of a sound configuration show up nowhere', () => {
  const env = { LIVEKIT_KEY: 'APIhunter2', LIVEKIT_SECRET: secret, LIVEKIT_API_SECRET: secret }
  expect(load(env).config?.credentials).toEqual({ apiKey: 'APIhunter2', apiSecret: secret })
  expect(shown(env)).not.toContain('hunter2')
})

test('tokens of application-service mode show up nowhere, however wrong they are', () => {
  for (const token of ['hunter2', 'hunter2 hunter2', '[hunter2]', 'hunter2: x: y', '"hunter2']) {
    const text = `as_token: ${token}\nhs_token: ${token}\nproxy_prefix: ${token}\n`
    const env = {
      LIVEKIT_AS_REGISTRATION_FILE: '/file',
      LIVEKIT_AS_TOKEN: 'hunter2-of-a-variable',
      LIVEKIT_HS_TOKEN_FROM_FILE: '/token',
      LIVEKIT_HS_SERVER_NAME: 'example.com',
    }
    expect(shown(env, { '/file': text, '/token': 'hunter2-of-a-file' })).not.toContain('hunter2')
  }
})
