import { describe, expect, test } from 'bun:test'
import { A, type Case, check, fine, series } from './alert-scenarios.ts'

const { created, joined, webhook, verified } = series

describe.each<[alert: string, cases: Case[]]>([
  [
    'JwtServiceWebhooksMissing',
    [
      [
        'tokens, but no webhook',
        { series: { [created]: '0+1x40', [webhook('1')]: '0x40' }, minute: 30, firing: [A] },
      ],
      [
        'no series of webhooks at all',
        { series: { [created]: '0+1x40' }, minute: 30, firing: [A] },
      ],
      [
        'participants found connected',
        { series: { [joined]: '0 0 1x40', [webhook('1')]: '0x40' }, minute: 14, firing: [A] },
      ],
      [
        'not before it has lasted',
        { series: { [created]: '0+1x40', [webhook('1')]: '0x40' }, minute: 14, firing: [] },
      ],
      [
        'not with few tokens',
        { series: { [created]: '0+1x4 4x40', [webhook('1')]: '0x40' }, minute: 20, firing: [] },
      ],
      [
        'not with webhooks',
        { series: { [created]: '0+1x40', [webhook('1')]: '0+1x40' }, minute: 30, firing: [] },
      ],
      [
        'not with webhooks to another replica',
        {
          series: { [created]: '0+1x40', [webhook('1')]: '0x40', [webhook('2')]: '0+1x40' },
          minute: 30,
          firing: [],
        },
      ],
      [
        'not while nobody calls',
        { series: { [created]: '9x40', [webhook('1')]: '9x40' }, minute: 30, firing: [] },
      ],
    ],
  ],
  [
    'JwtServiceVerificationFailing',
    [
      [
        'every verification fails',
        {
          series: {
            [verified('named', 'failed', 'connect')]: '0+1x30',
            [verified('named', 'ok')]: '7x30',
          },
          minute: 15,
          firing: [A],
        },
      ],
      [
        'one server of several fails',
        {
          series: {
            [verified('named', 'failed', 'discovery')]: '0+1x30',
            [verified('named', 'ok')]: '0+3x30',
          },
          minute: 15,
          firing: [A],
        },
      ],
      [
        'several kinds of failures are enough together',
        {
          series: {
            [verified('named', 'failed', 'connect', 'federation.refused')]: '0+0.4x30',
            [verified('named', 'failed', 'connect', 'federation.timeout')]: '0+0.4x30',
            [verified('named', 'ok')]: '7x30',
          },
          minute: 15,
          firing: [A],
        },
      ],
      [
        'not before it has lasted',
        {
          series: {
            [verified('named', 'failed', 'connect')]: '0+1x30',
            [verified('named', 'ok')]: '7x30',
          },
          minute: 9,
          firing: [],
        },
      ],
      [
        'not now and then',
        {
          series: { [verified('named', 'failed')]: '0+1x30', [verified('named', 'ok')]: '0+5x30' },
          minute: 20,
          firing: [],
        },
      ],
      [
        'not a few',
        {
          series: { [verified('named', 'failed')]: '0 5x30', [verified('named', 'ok')]: '0x30' },
          minute: 9,
          firing: [],
        },
      ],
      [
        'not tokens that servers refuse',
        {
          series: { [verified('named', 'refused')]: '0+50x30', [verified('named', 'ok')]: '7x30' },
          minute: 20,
          firing: [],
        },
      ],
      [
        'not other servers',
        { series: { [verified('other', 'failed')]: '0+50x30' }, minute: 20, firing: [] },
      ],
    ],
  ],
])('%s', (alert, cases) => {
  test.each(cases)('%s', async (_, scenario) => {
    expect(await check(alert, scenario)).toEqual(fine)
  })
})
