import { describe, expect, test } from 'bun:test'
import { from, type LimitsStage, startLimitsStage, statusesOf, times } from './limits-stage.ts'

const NO_PROXIES = { LIVEKIT_TRUSTED_PROXIES: 'none' }
const SHARED = 'all requests come from one private address and share its limit'

function warnings(stage: LimitsStage) {
  return stage.app.log
    .filter(({ level, limit }) => level === 'warn' && limit === undefined)
    .map(({ level: _, time: __, ...line }) => line)
}

function invalid({ app }: LimitsStage, headers: Record<string, string> = {}) {
  return app.post('/get_token', {}, headers)
}

describe('a trusted proxy that does not name its clients', () => {
  test.each([
    ['no X-Forwarded-For, as nginx unless told', {}],
    ['an empty one', from('')],
    ['"unknown", as Squid', from('unknown')],
    ['another header instead', { Forwarded: 'for=1.2.3.4', 'X-Real-IP': '1.2.3.4' }],
  ])('has none of them limited by address, and is warned about once: %s', async (_, headers) => {
    await using stage = await startLimitsStage()
    expect(statusesOf(await times(1_200, () => invalid(stage, headers)))).toEqual({ 400: 1_200 })
    expect(warnings(stage)).toEqual([
      {
        message: 'clients behind a proxy are not limited by address',
        cause: '127.0.0.1 sends no usable X-Forwarded-For',
        code: 'limits.hidden-clients',
        remedy:
          'Have the proxy send the header "X-Forwarded-For"; requests made on this machine itself do no harm.',
      },
    ])
  })

  test('leaves the limit of each user', async () => {
    await using stage = await startLimitsStage()
    const ask = () => stage.ask('@alice:example.com')
    expect(statusesOf(await times(30, ask))).toEqual({ 200: 20, 429: 10 })
  })

  test('does not lift the limits of clients that it does name', async () => {
    await using stage = await startLimitsStage()
    await times(1_000, () => invalid(stage, from('1.2.3.4')))
    expect((await invalid(stage)).status).toBe(400)
    expect((await invalid(stage, from('1.2.3.4'))).status).toBe(429)
  })
})

describe('an untrusted private address', () => {
  test('is limited whatever it claims, and hinted at once after 100 requests', async () => {
    await using stage = await startLimitsStage(NO_PROXIES)
    const claim = (n: number) => invalid(stage, from(`1.2.${n >> 8}.${n & 255}`))
    await times(99, claim)
    expect(warnings(stage)).toEqual([])
    expect(statusesOf(await times(1_000, claim))).toEqual({ 400: 901, 429: 99 })
    expect(warnings(stage)).toEqual([
      {
        message: SHARED,
        cause: 'all from 127.0.0.1',
        code: 'limits.unknown-proxy',
        remedy: 'If it is your proxy, add 127.0.0.1 to LIVEKIT_TRUSTED_PROXIES.',
      },
    ])
  })

  test('counts for the hint by its requests, not by their failures', async () => {
    await using stage = await startLimitsStage(NO_PROXIES)
    await times(99, () => stage.fail())
    expect(warnings(stage)).toEqual([])
    await stage.fail()
    expect(warnings(stage)).toHaveLength(1)
  })
})

describe('a network that hides addresses from a proxy', () => {
  test('is hinted at once after 100 requests', async () => {
    await using stage = await startLimitsStage()
    await times(300, () => invalid(stage, from('172.18.0.1')))
    expect(warnings(stage)).toEqual([
      {
        message: SHARED,
        cause: 'all from 172.18.0.1, through the proxy 127.0.0.1',
        code: 'limits.hidden-network',
        remedy:
          'If many clients are behind it, have the network keep their addresses until they reach the proxy.',
      },
    ])
  })

  test('is not hinted at when others come too', async () => {
    await using stage = await startLimitsStage()
    await times(50, () => invalid(stage, from('172.18.0.1')))
    await invalid(stage, from('192.168.0.2'))
    await times(500, () => invalid(stage, from('172.18.0.1')))
    expect(warnings(stage)).toEqual([])
  })
})

test.each([
  ['Caddy, which replaces what the client sent', from('1.2.3.4')],
  ['nginx with $proxy_add_x_forwarded_for', from('6.6.6.6, 1.2.3.4')],
  ['Traefik', { ...from('1.2.3.4'), 'X-Real-Ip': '1.2.3.4', 'X-Forwarded-Port': '443' }],
  ['ingress-nginx', { ...from('1.2.3.4'), 'X-Original-Forwarded-For': '6.6.6.6' }],
  ['an ingress behind a load balancer that appends', from('6.6.6.6, 1.2.3.4, 10.42.0.1')],
  ['Apache behind Envoy', from('1.2.3.4,10.42.0.1, fd00::7')],
  ['Azure, which adds the port', from('1.2.3.4:51312')],
])('needs no setting behind %s', async (_, headers) => {
  await using stage = await startLimitsStage({ LIVEKIT_RATE_LIMIT: '1/5' })
  expect(statusesOf(await times(20, () => invalid(stage, headers)))).toEqual({ 400: 5, 429: 15 })
  expect((await invalid(stage, from('1.2.3.5'))).status).toBe(400)
  expect((await invalid(stage, from('6.6.6.6'))).status).toBe(400)
  expect(warnings(stage)).toEqual([])
})

test('behind a content delivery network, its own addresses are to be trusted as well', async () => {
  const headers = from('6.6.6.6, 1.2.3.4, 104.16.0.9')
  const all = 'LIVEKIT_TRUSTED_PROXIES'
  for (const [env, key] of [
    [{}, '104.16.0.9'],
    [{ [all]: '127.0.0.0/8, 104.16.0.0/13' }, '1.2.3.4'],
  ] as const) {
    await using stage = await startLimitsStage({ LIVEKIT_RATE_LIMIT: '1/5', ...env })
    await times(20, () => invalid(stage, headers))
    expect((await invalid(stage, from(key))).status).toBe(429)
  }
})
