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
  const { verifications, locations, delayedEvents, presenceChecks, roomCreations } =
    requestBudget(cap)
  const ofServers = [verifications, locations].flatMap(({ named, proven, others }) => {
    return [named, proven, others]
  })
  return [...ofServers, delayedEvents, presenceChecks, roomCreations]
}

test.each([
  [1_024, [96, 144, 144, 32, 48, 48, 256, 96, 160]],
  [256, [24, 36, 36, 8, 12, 12, 64, 24, 40]],
  [64, [6, 9, 9, 2, 3, 3, 16, 6, 10]],
])('%p requests are shared out', (cap, shares) => {
  expect(sharesOf(cap)).toEqual(shares)
})

test('the shares never exceed the cap, and none is empty', () => {
  for (let cap = 64; cap <= 2_000; cap += 1) {
    expect(sharesOf(cap).reduce((sum, share) => sum + share)).toBeLessThanOrEqual(cap)
  }
  expect(sharesOf(1)).toEqual(Array(9).fill(1))
})
