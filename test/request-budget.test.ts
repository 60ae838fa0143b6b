import { expect, test } from 'bun:test'
import { requestBudget, requestCap } from '../src/request-budget.ts'

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

test.each([
  [1_024, [128, 384, 288, 96]],
  [256, [32, 96, 72, 24]],
  [64, [8, 24, 18, 6]],
  [1, [1, 1, 1, 1]],
])('%p requests are shared out', (cap, shares) => {
  const { verifyingNamed, verifyingOthers, delayedEvents, presenceChecks } = requestBudget(cap)
  expect([verifyingNamed, verifyingOthers, delayedEvents, presenceChecks]).toEqual(shares)
})
