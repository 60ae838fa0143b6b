import { describe, expect, test } from 'bun:test'
import { type ReplicaFacts, readinessOf } from '../../src/app/readiness.ts'

const WELL: ReplicaFacts = {
  isShuttingDown: false,
  workerSilentMs: 500,
  overdueMs: 0,
  isStoreAway: false,
  areTokensKept: false,
  sfuTrouble: undefined,
}

describe('a replica', () => {
  test.each<[what: string, facts: Partial<ReplicaFacts>]>([
    ['that is well', {}],
    ['whose worker waits for a store that answers slowly', { workerSilentMs: 15_000 }],
    ['that is a little behind', { overdueMs: 15_000 }],
    ['that remembers its tokens', { areTokensKept: true }],
  ])('%s is ready', (_, facts) => {
    expect(readinessOf({ ...WELL, ...facts })).toEqual({ status: 'ready', reasons: [] })
  })

  test.each<[what: string, facts: Partial<ReplicaFacts>, reason: string]>([
    ['that shuts down', { isShuttingDown: true }, 'shutting down'],
    [
      'whose worker stands still',
      { workerSilentMs: 15_400 },
      'the worker has stood still for 15 s',
    ],
    ['that is behind', { overdueMs: 61_000 }, 'the worker is 61 s behind'],
  ])('%s is unready', (_, facts, reason) => {
    expect(readinessOf({ ...WELL, ...facts })).toEqual({ status: 'unready', reasons: [reason] })
  })

  test.each<[what: string, facts: Partial<ReplicaFacts>, reason: string]>([
    [
      'without its store',
      { isStoreAway: true },
      'the state store is away: delegations are refused',
    ],
    [
      'of an application service without its store',
      { isStoreAway: true, areTokensKept: true },
      'the state store is away: delegations are refused, and so are the tokens that the homeserver asks for',
    ],
    [
      'whose SFU refuses it',
      { sfuTrouble: 'it does not accept the key or secret' },
      'the SFU cannot be used: it does not accept the key or secret',
    ],
    [
      'that cannot know how far it is behind',
      { isStoreAway: true, overdueMs: 61_000 },
      'the state store is away: delegations are refused',
    ],
  ])('%s is degraded', (_, facts, reason) => {
    expect(readinessOf({ ...WELL, ...facts })).toEqual({ status: 'degraded', reasons: [reason] })
  })

  test('tells everything that is wrong, the worst first', () => {
    const facts = {
      isShuttingDown: true,
      workerSilentMs: 20_000,
      overdueMs: 20_000,
      isStoreAway: true,
      areTokensKept: false,
      sfuTrouble: 'it cannot be reached',
    }
    expect(readinessOf(facts)).toEqual({
      status: 'unready',
      reasons: [
        'shutting down',
        'the worker has stood still for 20 s',
        'the state store is away: delegations are refused',
        'the SFU cannot be used: it cannot be reached',
      ],
    })
  })
})
