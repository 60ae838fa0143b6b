import { expect, test } from 'bun:test'
import { loadConfig } from '../../src/config.ts'
import { CREDENTIAL_SETTINGS } from '../support/credentials.ts'

const REQUIRED = {
  LIVEKIT_URL: 'wss://sfu.test',
  ...CREDENTIAL_SETTINGS,
  LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com',
}

function noFile(): string {
  throw new Error('there is no file')
}

test('a file of trusted roots that cannot be read is warned about', () => {
  const env = { ...REQUIRED, NODE_EXTRA_CA_CERTS: '/nowhere/roots.pem' }
  expect(loadConfig(env, noFile).warnings).toEqual([
    'NODE_EXTRA_CA_CERTS: names a file that cannot be read; it is ignored',
  ])
  expect(loadConfig(env, () => 'roots').warnings).toEqual([])
})

test('certificate checks that the runtime is told to leave out are warned about', () => {
  const env = { ...REQUIRED, NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  expect(loadConfig(env, noFile).warnings).toEqual([
    'NODE_TLS_REJECT_UNAUTHORIZED: CERTIFICATES OF THE SFU AND OF REDIS ARE NOT CHECKED while it is "0"',
  ])
})

test('requests that the runtime is told to print are warned about', () => {
  for (const value of ['1', 'true', 'curl']) {
    expect(loadConfig({ ...REQUIRED, BUN_CONFIG_VERBOSE_FETCH: value }, noFile).warnings).toEqual([
      'BUN_CONFIG_VERBOSE_FETCH: TOKENS ARE PRINTED: every request to homeservers and to the SFU is; unset it',
    ])
  }
  expect(loadConfig({ ...REQUIRED, BUN_CONFIG_VERBOSE_FETCH: '' }, noFile).warnings).toEqual([])
})

test.each(['HTTPS_PROXY', 'https_proxy'])('%s is a proxy for HTTPS, unless it is empty', (name) => {
  const uses = (value: string) => loadConfig({ ...REQUIRED, [name]: value }, noFile).config
  expect(uses('http://proxy.test:3128')?.usesHttpsProxy).toBe(true)
  expect(uses('')?.usesHttpsProxy).toBe(false)
})

test('a mistake in the list of homeservers is not taken for "*"', () => {
  const env = { ...REQUIRED, LIVEKIT_FULL_ACCESS_HOMESERVERS: 'https://example.com' }
  const { problems, warnings } = loadConfig(env, noFile)
  expect(problems).toHaveLength(1)
  expect(warnings).toEqual([])
})
