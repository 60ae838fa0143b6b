import { expect, test } from 'bun:test'
import { requestBudget, requestCap } from '../../src/lib/request-budget.ts'

test.each([
  [undefined, 256],
  ['', 256],
  [' ', 256],
  ['0', 256],
  ['-5', 256],
  ['many', 256],
  ['70000', 256],
  ['100', 100],
  [' 1024 ', 1_024],
])('the runtime makes as many requests at once as %p says: %p', (variable, cap) => {
  expect(requestCap(variable)).toBe(cap)
})

function sharesOf(cap: number): number[] {
  const { verifications, locations, delayedEvents, presenceChecks, ...others } = requestBudget(cap)
  const { roomCreations, membership, membershipChecks, relays } = others
  const ofServers = [verifications, locations].flatMap(({ named, proven, others }) => {
    return [named, proven, others]
  })
  const ofMembers = [membership, membershipChecks, relays]
  return [...ofServers, delayedEvents, presenceChecks, roomCreations, ...ofMembers]
}

test.each([
  [1_024, [96, 112, 128, 16, 32, 32, 256, 96, 112, 64, 48, 32]],
  [256, [24, 28, 32, 4, 8, 8, 64, 24, 28, 16, 12, 8]],
  [64, [6, 7, 8, 1, 2, 2, 16, 6, 7, 4, 3, 2]],
])('%p requests are shared out', (cap, shares) => {
  expect(sharesOf(cap)).toEqual(shares)
})

test('the shares never exceed the cap, and none is empty', () => {
  for (let cap = 64; cap <= 2_000; cap += 1) {
    expect(sharesOf(cap).reduce((sum, share) => sum + share)).toBeLessThanOrEqual(cap)
  }
  expect(sharesOf(1)).toEqual(Array(12).fill(1))
})
