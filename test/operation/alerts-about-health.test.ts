import { describe, expect, test } from 'bun:test'
import { A, A1, type Case, check, fine, series } from './alert-scenarios.ts'

const { overdue, storeUp, lag, up, build } = series

describe.each<[alert: string, cases: Case[]]>([
  [
    'JwtServiceWorkOverdue',
    [
      [
        'work behind',
        { series: { [overdue('1')]: '16x10', [overdue('2')]: '16x10' }, minute: 3, firing: [A] },
      ],
      ['not before it has lasted', { series: { [overdue('1')]: '16x10' }, minute: 1, firing: [] }],
      ['not a little behind', { series: { [overdue('1')]: '14x10' }, minute: 9, firing: [] }],
      ['not once caught up', { series: { [overdue('1')]: '60 60 0x9' }, minute: 9, firing: [] }],
      [
        'not while the store is away',
        { series: { [overdue('1')]: 'NaN NaN NaN NaN NaN NaN' }, minute: 9, firing: [] },
      ],
    ],
  ],
  [
    'JwtServiceStoreAway',
    [
      [
        'away for one of two',
        { series: { [storeUp('1')]: '1 0x10', [storeUp('2')]: '1x10' }, minute: 4, firing: [A1] },
      ],
      ['not before it has lasted', { series: { [storeUp('1')]: '1 0x10' }, minute: 2, firing: [] }],
      ['not when it is back', { series: { [storeUp('1')]: '0 1x10' }, minute: 4, firing: [] }],
    ],
  ],
  [
    'JwtServiceStuck',
    [
      [
        'timers are late',
        {
          series: {
            [lag('sum')]: '0+36x20',
            [lag('count')]: '0+110x20',
            [up]: '1x20',
            [build]: '1x20',
          },
          minute: 10,
          firing: [A1],
        },
      ],
      [
        'no scrape is answered',
        { series: { [up]: '1x5 0x20', [build]: '1x5 _x20' }, minute: 12, firing: [A1] },
      ],
      [
        'not before it has lasted',
        { series: { [up]: '1x5 0x20', [build]: '1x5 _x20' }, minute: 7, firing: [] },
      ],
      [
        'not a busy one',
        { series: { [lag('sum')]: '0+6x20', [lag('count')]: '0+119x20' }, minute: 15, firing: [] },
      ],
      [
        'not one that was taken away',
        { series: { [up]: '1x5 _x20', [build]: '1x5 _x20' }, minute: 15, firing: [] },
      ],
      ['not another program', { series: { [up]: '0x20' }, minute: 15, firing: [] }],
    ],
  ],
])('%s', (alert, cases) => {
  test.each(cases)('%s', async (_, scenario) => {
    expect(await check(alert, scenario)).toEqual(fine)
  })
})
