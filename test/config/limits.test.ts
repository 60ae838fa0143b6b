import { expect, test } from 'bun:test'
import { LOCAL } from '../../src/net/networks.ts'
import { problemsOf, quietly } from './loading.ts'

const DEFAULT = { perSecond: 50, burst: 1_000 }

test.each([
  [undefined, DEFAULT],
  ['on', DEFAULT],
  ['ON', DEFAULT],
  ['off', undefined],
  ['Off', undefined],
  ['10/50', { perSecond: 10, burst: 50 }],
  ['1/1', { perSecond: 1, burst: 1 }],
])('LIVEKIT_RATE_LIMIT=%p limits an address to %p', (text, rate) => {
  expect(quietly({ LIVEKIT_RATE_LIMIT: text }).addressRate).toEqual(rate)
})

const NO_PAIR = 'is not two whole numbers with "/" between them'

test.each([
  ['0/5', 'has a number that is 0'],
  ['5/0', 'has a number that is 0'],
  ['1000000/1', 'has a number above 999999'],
  ['10', 'has no burst'],
  ['10/', NO_PAIR],
  ['/5', NO_PAIR],
  ['-1/5', NO_PAIR],
  ['1.5/3', NO_PAIR],
  ['hunter2', NO_PAIR],
  ['10 / 50', 'contains a space'],
])('LIVEKIT_RATE_LIMIT=%p stops the start', (text, wrong) => {
  expect(problemsOf({ LIVEKIT_RATE_LIMIT: text })).toEqual([
    `LIVEKIT_RATE_LIMIT: ${wrong}; expected "on", "off", or requests a second and burst, ` +
      'such as "10/50"',
  ])
})

test('trusts proxies on loopback and private networks unless told otherwise', () => {
  expect(quietly({}).trustedProxies).toBe(LOCAL)
  expect(quietly({ LIVEKIT_TRUSTED_PROXIES: 'none' }).trustedProxies).toEqual([])
  const { trustedProxies } = quietly({ LIVEKIT_TRUSTED_PROXIES: '10.0.0.1, 2001:db8::/32' })
  expect(trustedProxies.map(({ cidr }) => cidr)).toEqual(['10.0.0.1/32', '2001:db8::/32'])
})

test.each([
  [undefined, undefined],
  ['off', undefined],
  [':9090', { host: undefined, port: 9_090 }],
  ['127.0.0.1:9090', { host: '127.0.0.1', port: 9_090 }],
])('LIVEKIT_METRICS_BIND=%p is read as %p', (text, bind) => {
  expect(quietly({ LIVEKIT_METRICS_BIND: text }).metricsBind).toEqual(bind)
})

test.each([
  ['9090', 'has no ":" before the port'],
  ['none', 'has no port'],
])('LIVEKIT_METRICS_BIND=%p stops the start', (text, wrong) => {
  expect(problemsOf({ LIVEKIT_METRICS_BIND: text })).toEqual([
    `LIVEKIT_METRICS_BIND: ${wrong}; ` +
      'expected "off", ":port", "host:port" or "[v6]:port", such as ":9090"',
  ])
})

const SAME =
  'LIVEKIT_METRICS_BIND: is the address that LIVEKIT_JWT_BIND has too; expected another port, such as ":9090"'

test.each([
  [':8080', ':8080'],
  [undefined, ':8080'],
  ['127.0.0.1:8080', '127.0.0.1:8080'],
  [':8080', '127.0.0.1:8080'],
  ['[::1]:8080', '[::]:8080'],
  ['0.0.0.0:8080', '10.0.0.1:8080'],
])('with LIVEKIT_JWT_BIND=%p LIVEKIT_METRICS_BIND=%p stops the start', (bind, metrics) => {
  const env = { LIVEKIT_JWT_BIND: bind, LIVEKIT_METRICS_BIND: metrics }
  expect(problemsOf(env)).toEqual([SAME])
})

test.each([
  [':8080', ':9090'],
  ['10.0.0.1:8080', '127.0.0.1:8080'],
  [':0', ':0'],
])('with LIVEKIT_JWT_BIND=%p LIVEKIT_METRICS_BIND=%p is fine', (bind, metrics) => {
  const env = { LIVEKIT_JWT_BIND: bind, LIVEKIT_METRICS_BIND: metrics }
  expect(quietly(env).metricsBind).toBeDefined()
})
