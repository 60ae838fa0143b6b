import { beforeEach, expect, test } from 'bun:test'
import { createDelegationClock, type DelegationClock } from '../../src/delegation/work/clock.ts'

let wall: number
let monotonic: number
let clock: DelegationClock

beforeEach(() => {
  wall = 1_000_000
  monotonic = 500.25
  clock = createDelegationClock({ now: () => wall, monotonicNow: () => monotonic })
})

test('starts from the wall clock, and ignores its steps', () => {
  expect(clock.now()).toBe(1_000_000)
  wall += 3_600_000
  monotonic += 1_000
  expect(clock.now()).toBe(1_001_000)
  wall -= 7_200_000
  expect(clock.now()).toBe(1_001_000)
})

test('sets the time at once on the first synchronisation', () => {
  clock.follow(2_000_000)
  expect(clock.now()).toBe(2_000_000)
  monotonic += 1_000
  expect(clock.now()).toBe(2_001_000)
})

for (const [what, ahead, expected] of [
  ['behind', 10_000, [2_001_050, 2_002_100]],
  ['ahead', -10_000, [2_000_950, 2_001_900]],
] as const) {
  test(`one that is ${what} catches up by 50 ms a second, without a step`, () => {
    clock.follow(2_000_000)
    clock.follow(2_000_000 + ahead)
    expect(clock.now()).toBe(2_000_000)
    monotonic += 1_000
    expect(clock.now()).toBe(expected[0])
    clock.follow(2_001_000 + ahead)
    expect(clock.now()).toBe(expected[0])
    monotonic += 1_000
    expect(clock.now()).toBe(expected[1])
  })
}

test('stops slewing when it has caught up, and never goes back', () => {
  clock.follow(2_000_000)
  clock.follow(1_999_980)
  let last = clock.now()
  for (let passed = 1; passed <= 1_000; passed += 1) {
    monotonic += 1
    expect(clock.now()).toBeGreaterThanOrEqual(last)
    last = clock.now()
  }
  expect(clock.now()).toBe(2_000_980)
})
