import { describe, expect, test } from 'bun:test'
import {
  type Environment,
  type Files,
  load,
  NO_FILE,
  problemsOf,
  quietly,
  warningsOf,
} from './loading.ts'

function urlOf(env: Environment, files: Files = {}): string | undefined {
  const { state } = quietly(env, files)
  return state.kind === 'redis' ? state.url : undefined
}

describe('LIVEKIT_REDIS_URL', () => {
  test.each([
    ['redis://redis', 'redis://redis'],
    ['redis://redis:6379', 'redis://redis:6379'],
    ['rediss://redis.example.com:6380/', 'rediss://redis.example.com:6380/'],
    ['redis://10.0.0.1:6379/15', 'redis://10.0.0.1:6379/15'],
    ['redis://[::1]:6379/0', 'redis://[::1]:6379/0'],
    ['redis://:secret@redis:6379', 'redis://:secret@redis:6379'],
    ['redis://user:p%40ss@redis/1', 'redis://user:p%40ss@redis/1'],
    ['REDIS://redis:6379', 'redis://redis:6379'],
  ])('takes %s', (text, url) => {
    expect(urlOf({ LIVEKIT_REDIS_URL: text })).toBe(url)
  })

  test('is taken from a file, with white space around it that does not count', () => {
    const env = { LIVEKIT_REDIS_URL_FROM_FILE: '/url' }
    expect(urlOf(env, { '/url': ' redis://:secret@redis:6379\n' })).toBe(
      'redis://:secret@redis:6379',
    )
  })

  test('from a file wins over the variable, with a warning', () => {
    const env = { LIVEKIT_REDIS_URL_FROM_FILE: '/url', LIVEKIT_REDIS_URL: 'redis://other' }
    const files = { '/url': 'redis://redis' }
    expect(load(env, files).config?.state).toEqual({ kind: 'redis', url: 'redis://redis' })
    expect(warningsOf(env, files)).toEqual([
      'LIVEKIT_REDIS_URL: is ignored, since LIVEKIT_REDIS_URL_FROM_FILE is set',
    ])
  })

  const expected =
    'expected a URL that begins with "redis://", or "rediss://" for TLS, ' +
    'and may end with a database number, such as "redis://valkey:6379"'
  const path = 'has a path that is no database number'
  const query = 'has a query or fragment, after "?" or "#"'
  const credentials =
    'has a user name or password that is not percent-encoded (LIVEKIT_REDIS_PASSWORD takes one as it is)'

  test.each([
    ['redis:6379', 'has no scheme'],
    ['redis:redis', 'has no scheme'],
    ['none', 'has no scheme'],
    ['hunter2', 'has no scheme'],
    ['http://redis:6379', 'has another scheme'],
    ['unix:///run/redis.sock', 'has another scheme'],
    ['redis+tls://redis:6379', 'has another scheme'],
    ['redis://', 'has no host'],
    ['redis:///1', 'has no host'],
    ['redis://redis:99999', 'has a port above 65535'],
    ['redis://redis:0', 'has port 0'],
    ['redis://redis:6379/name', path],
    ['redis://redis:6379/1/2', path],
    ['redis://redis:6379/-1', path],
    ['redis://redis:6379?db=1', query],
    ['redis://redis:6379#1', query],
    ['redis://:100%@redis', credentials],
    ['redis://:a%b@redis', credentials],
    ['redis://:a%4@redis', credentials],
    ['redis://a%zz:x@redis', credentials],
    ['redis://:pa/ss@redis:6379', credentials],
    ['redis://:pa#ss@redis:6379', credentials],
    ['"redis://redis:6379"', 'is in quotes'],
  ])('refuses %p', (text, wrong) => {
    expect(problemsOf({ LIVEKIT_REDIS_URL: text })).toEqual([
      `LIVEKIT_REDIS_URL: ${wrong}; ${expected}`,
    ])
    expect(problemsOf({ LIVEKIT_REDIS_URL_FROM_FILE: '/url' }, { '/url': text })).toEqual([
      `LIVEKIT_REDIS_URL_FROM_FILE: names a file whose text ${wrong}; ${expected}`,
    ])
  })

  test('that names a file must name one that is there and not empty', () => {
    const env = { LIVEKIT_REDIS_URL_FROM_FILE: '/url' }
    expect(problemsOf(env)).toEqual([`LIVEKIT_REDIS_URL_FROM_FILE: ${NO_FILE}`])
    expect(problemsOf(env, { '/url': '\n' })).toEqual([
      'LIVEKIT_REDIS_URL_FROM_FILE: names a file that is empty; ' +
        'expected the value, such as "redis://valkey:6379", in it',
    ])
  })
})

describe('LIVEKIT_REDIS_PASSWORD', () => {
  const url = { LIVEKIT_REDIS_URL: 'redis://redis:6379/1' }

  test.each([
    ['secret', 'redis://:secret@redis:6379/1'],
    ['p@ss:w/o#r?d', 'redis://:p%40ss%3Aw%2Fo%23r%3Fd@redis:6379/1'],
    ['100%', 'redis://:100%25@redis:6379/1'],
    ['100%41', 'redis://:100%2541@redis:6379/1'],
    [' a+b "ü" ', 'redis://:%20a%2Bb%20%22%C3%BC%22%20@redis:6379/1'],
  ])('of %p is taken byte for byte', (password, complete) => {
    expect(urlOf({ ...url, LIVEKIT_REDIS_PASSWORD: password })).toBe(complete)
  })

  test('is taken from a file', () => {
    const env = { ...url, LIVEKIT_REDIS_PASSWORD_FROM_FILE: '/password' }
    expect(urlOf(env, { '/password': 'secret\n' })).toBe('redis://:secret@redis:6379/1')
  })

  test('wins over that in the URL, and leaves the user name', () => {
    const env = {
      LIVEKIT_REDIS_URL: 'redis://alice:other@redis:6379',
      LIVEKIT_REDIS_PASSWORD: 'secret',
    }
    expect(urlOf(env)).toBe('redis://alice:secret@redis:6379')
  })

  test('is ignored without a URL, with a warning', () => {
    const env = { LIVEKIT_REDIS_PASSWORD: 'secret' }
    expect(load(env).config?.state).toEqual({ kind: 'memory' })
    expect(warningsOf(env)).toEqual([
      'LIVEKIT_REDIS_PASSWORD: is ignored, since LIVEKIT_REDIS_URL is not set',
    ])
  })

  test('is no second problem when the URL is wrong', () => {
    const { problems, warnings } = load({
      LIVEKIT_REDIS_URL: 'redis',
      LIVEKIT_REDIS_PASSWORD: 'x',
    })
    expect(problems).toHaveLength(1)
    expect(warnings).toEqual([])
  })

  test('that names a file must name one that is there', () => {
    expect(problemsOf({ ...url, LIVEKIT_REDIS_PASSWORD_FROM_FILE: '/password' })).toEqual([
      `LIVEKIT_REDIS_PASSWORD_FROM_FILE: ${NO_FILE}`,
    ])
  })
})
