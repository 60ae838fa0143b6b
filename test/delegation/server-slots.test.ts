import { expect, test } from 'bun:test'
import { ServerSlots } from '../../src/delegation/server-slots.ts'
import { NOW } from '../support/delegations.ts'

/** How many slots there are: they are taken, and given back as if nobody had waited for an answer. */
function free(slots: ServerSlots, name = 'hs.test'): number {
  let taken = 0
  while (slots.take(name)) taken += 1
  for (let given = 0; given < taken; given += 1) slots.giveBack(name, 'given-up', NOW)
  return taken
}

/** One action, which ends so. */
function act(slots: ServerSlots, outcome: 'answered' | 'failed', now = NOW, name = 'hs.test') {
  slots.take(name)
  slots.giveBack(name, outcome, now)
}

test('a server has 32 slots, whatever is under way at others', () => {
  const slots = new ServerSlots()
  expect(free(slots, 'other.test')).toBe(32)
  while (slots.take('other.test')) {}
  expect(free(slots)).toBe(32)
  expect(free(slots, 'other.test')).toBe(0)
})

test('a server that fails has 4 until it answers', () => {
  const slots = new ServerSlots()
  act(slots, 'failed')
  expect(free(slots)).toBe(4)
  expect(free(slots, 'other.test')).toBe(32)
  act(slots, 'answered')
  expect(free(slots)).toBe(32)
})

test('what was given up says nothing of the server', () => {
  const slots = new ServerSlots()
  expect(free(slots)).toBe(32)
  act(slots, 'failed')
  expect(free(slots)).toBe(4)
  expect(free(slots)).toBe(4)
})

test('failures of one moment count once', () => {
  const slots = new ServerSlots()
  while (slots.take('hs.test')) {}
  for (let given = 0; given < 32; given += 1) {
    slots.giveBack('hs.test', 'failed', NOW + Math.min(given * 20, 499))
  }
  expect(slots.retryInMs('hs.test', 0.5)).toBe(1_000)
  act(slots, 'failed', NOW + 500)
  expect(slots.retryInMs('hs.test', 0.5)).toBe(1_500)
})

test('a server that is only busy is asked again soon, one that fails with growing pauses', () => {
  const slots = new ServerSlots()
  expect([0, 0.5].map((random) => slots.retryInMs('hs.test', random))).toEqual([25, 50])
  for (const [failures, waitMs] of [
    [1, 1_000],
    [2, 1_500],
    [3, 2_250],
    [4, 3_375],
    [5, 5_062.5],
    [6, 7_593.75],
    [7, 7_593.75],
  ] as const) {
    act(slots, 'failed', NOW + failures * 500)
    expect(slots.retryInMs('hs.test', 0.5)).toBe(waitMs)
  }
})

test('a server whose failure is a minute old is forgotten where there are many', () => {
  const slots = new ServerSlots()
  for (let index = 0; index < 1_000; index += 1) act(slots, 'failed', NOW, `hs-${index}.test`)
  act(slots, 'failed', NOW + 60_000, 'late.test')
  expect(free(slots, 'hs-0.test')).toBe(4)
  expect(free(slots, 'late.test')).toBe(4)
  act(slots, 'failed', NOW + 60_001, 'latest.test')
  expect(free(slots, 'hs-0.test')).toBe(32)
  expect(free(slots, 'hs-999.test')).toBe(32)
  expect(free(slots, 'late.test')).toBe(4)
})

test('a server where something is under way is not forgotten', () => {
  const slots = new ServerSlots()
  act(slots, 'failed', NOW, 'held.test')
  for (let held = 0; held < 4; held += 1) slots.take('held.test')
  for (let index = 0; index < 1_001; index += 1) {
    act(slots, 'failed', NOW + 70_000, `hs-${index}.test`)
  }
  expect(slots.take('held.test')).toBe(false)
})
