import { describe, expect, test } from 'bun:test'
import { CREDENTIALS } from '../support/credentials.ts'
import { load, NO_FILE, problemsOf, quietly, warningsOf } from './loading.ts'

const SECRET = 'one-more-secret-of-32-characters'
const withoutCredentials = { LIVEKIT_KEY: undefined, LIVEKIT_SECRET: undefined }

test('key and secret are required', () => {
  expect(problemsOf(withoutCredentials)).toEqual([
    'LIVEKIT_KEY: is not set; expected the API key of the SFU, such as "devkey"',
    'LIVEKIT_SECRET: is not set; expected the API secret of the SFU, ' +
      'such as "a-secret-of-at-least-thirty-two-characters"',
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
      'LIVEKIT_KEY_FROM_FILE: names a file that is empty; ' +
        'expected the value, such as "devkey", in it',
      `LIVEKIT_SECRET_FROM_FILE: ${NO_FILE}`,
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
      `LIVEKIT_SECRET_FROM_FILE: ${NO_FILE}`,
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

  const content =
    'one line "key: secret", such as "devkey: a-secret-of-at-least-thirty-two-characters"'

  test.each([
    ['secret', 'has no ":" in it (a key alone belongs into LIVEKIT_KEY_FROM_FILE)'],
    ['key:', 'has nothing after the ":"'],
    [': secret', 'has nothing before the ":"'],
    ['key: sec:ret', 'has more than one ":" in it, or more than one line'],
    ['key: secret\nkey2: secret2', 'has more than one ":" in it, or more than one line'],
  ])('must not name a file that holds %p', (text, wrong) => {
    expect(problemsOf(env, { '/keys': text })).toEqual([
      `LIVEKIT_KEY_FILE: names a file whose text ${wrong}; expected ${content}`,
    ])
  })

  test('must name a file that is there and not empty', () => {
    expect(problemsOf(env)).toEqual([`LIVEKIT_KEY_FILE: ${NO_FILE}`])
    expect(problemsOf(env, { '/keys': '' })).toEqual([
      `LIVEKIT_KEY_FILE: names a file that is empty; expected ${content}, in it`,
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
