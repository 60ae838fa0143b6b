import { expect, test } from 'bun:test'
import { load, NO_FILE, problemsOf, warningsOf } from './loading.ts'

test('a file of trusted roots that cannot be read is warned about', () => {
  const env = { NODE_EXTRA_CA_CERTS: '/nowhere/roots.pem' }
  expect(warningsOf(env)).toEqual([
    `NODE_EXTRA_CA_CERTS: ${NO_FILE.replace(';', ', and is ignored;')}`,
  ])
  expect(warningsOf(env, { '/nowhere/roots.pem': 'roots' })).toEqual([])
})

test('certificate checks that the runtime is told to leave out are warned about', () => {
  expect(warningsOf({ NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toEqual([
    'NODE_TLS_REJECT_UNAUTHORIZED: CERTIFICATES OF THE SFU AND OF REDIS ARE NOT CHECKED while it is "0"',
  ])
})

test('requests that the runtime is told to print are warned about', () => {
  for (const value of ['1', 'true', 'curl']) {
    expect(warningsOf({ BUN_CONFIG_VERBOSE_FETCH: value })).toEqual([
      'BUN_CONFIG_VERBOSE_FETCH: TOKENS ARE PRINTED: every request to homeservers and to the SFU is; unset it',
    ])
  }
  expect(warningsOf({ BUN_CONFIG_VERBOSE_FETCH: '' })).toEqual([])
})

test.each(['HTTPS_PROXY', 'https_proxy'])('%s is a proxy for HTTPS, unless it is empty', (name) => {
  const uses = (value: string) => load({ [name]: value }).config
  expect(uses('http://proxy.test:3128')?.usesHttpsProxy).toBe(true)
  expect(uses('')?.usesHttpsProxy).toBe(false)
})

test('a mistake in the list of homeservers is not taken for "*"', () => {
  const env = { LIVEKIT_FULL_ACCESS_HOMESERVERS: 'https://example.com' }
  expect(problemsOf(env)).toHaveLength(1)
  expect(warningsOf(env)).toEqual([])
})
