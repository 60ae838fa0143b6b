import { describe, expect, test } from 'bun:test'
import { CREDENTIALS } from '../support/credentials.ts'
import { load, problemsOf, quietly, warningsOf } from './loading.ts'

const SECRET = 'one-more-secret-of-32-characters'
const withoutCredentials = { LIVEKIT_KEY: undefined, LIVEKIT_SECRET: undefined }

test('key and secret are required', () => {
  expect(problemsOf(withoutCredentials)).toEqual([
    'LIVEKIT_KEY: is not set; expected API key of the SFU',
    'LIVEKIT_SECRET: is not set; expected API secret of the SFU',
  ])
})

test('key and secret are taken from their variables, byte for byte', () => {
  expect(quietly({ LIVEKIT_KEY: 'key', LIVEKIT_SECRET: ` ${SECRET}: ` }).credentials).toEqual({
    apiKey: 'key',
    apiSecret: ` ${SECRET}: `,
  })
})

describe('a secret of fewer than 32 characters is warned about', () => {
  const short = 'x'.repeat(31)
  const warning =
    'is shorter than 32 characters: whoever holds one token can guess it; use a longer, random one'

  test.each(['LIVEKIT_SECRET', 'LIVEKIT_API_SECRET'])('in %s', (name) => {
    const env = { LIVEKIT_SECRET: undefined }
    expect(warningsOf({ ...env, [name]: short })).toEqual([`${name}: ${warning}`])
    expect(load({ ...env, [name]: short }).config?.credentials.apiSecret).toBe(short)
    expect(warningsOf({ ...env, [name]: `${short}x` })).toEqual([])
    const fromFile = { ...env, [`${name}_FROM_FILE`]: '/secret' }
    expect(warningsOf(fromFile, { '/secret': short })).toEqual([`${name}_FROM_FILE: ${warning}`])
  })

  test('in the file that LIVEKIT_KEY_FILE names', () => {
    const env = { ...withoutCredentials, LIVEKIT_KEY_FILE: '/keys' }
    expect(warningsOf(env, { '/keys': `key: ${short}` })).toEqual([`LIVEKIT_KEY_FILE: ${warning}`])
    expect(warningsOf(env, { '/keys': `key: ${short}x` })).toEqual([])
  })
})

test('key and secret are taken from their aliases', () => {
  const env = { ...withoutCredentials, LIVEKIT_API_KEY: 'key', LIVEKIT_API_SECRET: SECRET }
  expect(quietly(env).credentials).toEqual({ apiKey: 'key', apiSecret: SECRET })
})

test('an alias loses against the name, with a warning', () => {
  const env = { LIVEKIT_API_KEY: 'otherkey', LIVEKIT_API_SECRET: 'othersecret' }
  expect(load(env).config?.credentials).toEqual(CREDENTIALS)
  expect(warningsOf(env)).toEqual([
    'LIVEKIT_API_KEY: is ignored, since LIVEKIT_KEY is set',
    'LIVEKIT_API_SECRET: is ignored, since LIVEKIT_SECRET is set',
  ])
})

describe('a file that is named by _FROM_FILE', () => {
  const env = {
    ...withoutCredentials,
    LIVEKIT_KEY_FROM_FILE: '/run/secrets/key',
    LIVEKIT_SECRET_FROM_FILE: '/run/secrets/secret',
  }

  test('holds the value, with white space around it that does not count', () => {
    const files = { '/run/secrets/key': ' key\r\n', '/run/secrets/secret': `\n\t${SECRET} \n\n` }
    expect(quietly(env, files).credentials).toEqual({ apiKey: 'key', apiSecret: SECRET })
  })

  test('must be readable and hold something', () => {
    expect(problemsOf(env, { '/run/secrets/key': ' \n' })).toEqual([
      'LIVEKIT_KEY_FROM_FILE: names a file that is empty; expected the value in it',
      'LIVEKIT_SECRET_FROM_FILE: names a file that does not exist (ENOENT)',
    ])
  })

  test('wins over the variable, with a warning', () => {
    const both = { LIVEKIT_SECRET_FROM_FILE: '/secret' }
    const files = { '/secret': SECRET }
    expect(load(both, files).config?.credentials.apiSecret).toBe(SECRET)
    expect(warningsOf(both, files)).toEqual([
      'LIVEKIT_SECRET: is ignored, since LIVEKIT_SECRET_FROM_FILE is set',
    ])
  })

  test('is not replaced by the variable when it cannot be read', () => {
    expect(problemsOf({ LIVEKIT_SECRET_FROM_FILE: '/secret' })).toEqual([
      'LIVEKIT_SECRET_FROM_FILE: names a file that does not exist (ENOENT)',
    ])
  })

  test('is known for the aliases too', () => {
    const aliases = {
      ...withoutCredentials,
      LIVEKIT_API_KEY_FROM_FILE: '/key',
      LIVEKIT_API_SECRET_FROM_FILE: '/secret',
    }
    const files = { '/key': 'key', '/secret': SECRET }
    expect(quietly(aliases, files).credentials).toEqual({ apiKey: 'key', apiSecret: SECRET })
  })
})

describe('LIVEKIT_KEY_FILE', () => {
  const env = { ...withoutCredentials, LIVEKIT_KEY_FILE: '/keys' }

  test.each([
    `key:${SECRET}`,
    `key: ${SECRET}\n`,
    `  key  :  ${SECRET}  \r\n`,
    `\ufeffkey: ${SECRET}`,
  ])('names a file that holds %p', (text) => {
    expect(quietly(env, { '/keys': text }).credentials).toEqual({
      apiKey: 'key',
      apiSecret: SECRET,
    })
  })

  test.each(['secret', 'key:', ': secret', 'key: sec:ret', 'key: secret\nkey2: secret2'])(
    'must not name a file that holds %p',
    (text) => {
      expect(problemsOf(env, { '/keys': text })).toEqual([
        'LIVEKIT_KEY_FILE: names a file with something else; expected "key: secret" in it',
      ])
    },
  )

  test('must name a file that is there and not empty', () => {
    expect(problemsOf(env)).toEqual(['LIVEKIT_KEY_FILE: names a file that does not exist (ENOENT)'])
    expect(problemsOf(env, { '/keys': '' })).toEqual([
      'LIVEKIT_KEY_FILE: names a file that is empty; expected the value in it',
    ])
  })

  test('wins over every other way, with a warning for each', () => {
    const all = {
      LIVEKIT_KEY_FILE: '/keys',
      LIVEKIT_API_KEY: 'otherkey',
      LIVEKIT_SECRET_FROM_FILE: '/never-read',
    }
    const files = { '/keys': `key: ${SECRET}` }
    expect(load(all, files).config?.credentials).toEqual({ apiKey: 'key', apiSecret: SECRET })
    expect(warningsOf(all, files)).toEqual([
      'LIVEKIT_KEY: is ignored, since LIVEKIT_KEY_FILE is set',
      'LIVEKIT_API_KEY: is ignored, since LIVEKIT_KEY_FILE is set',
      'LIVEKIT_SECRET: is ignored, since LIVEKIT_KEY_FILE is set',
      'LIVEKIT_SECRET_FROM_FILE: is ignored, since LIVEKIT_KEY_FILE is set',
    ])
  })
})
