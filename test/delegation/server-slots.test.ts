import { expect, test } from 'bun:test'
import { ServerSlots, type Slot } from '../../src/delegation/work/server-slots.ts'
import { NOW } from '../support/delegations.ts'

const TEN_MINUTES_MS = 600_000

/** Takes all the slots that a server can have. */
function takeAll(slots: ServerSlots, name = 'hs.test', now = NOW): Slot[] {
  const taken: Slot[] = []
  for (let slot = slots.take(name, now); slot !== undefined; slot = slots.take(name, now)) {
    taken.push(slot)
  }
  return taken
}

/** Counts the free slots: takes them all, and returns them as aborted. */
function free(slots: ServerSlots, name = 'hs.test', now = NOW): number {
  const taken = takeAll(slots, name, now)
  for (const slot of taken) slots.giveBack(slot, 'given-up', now)
  return taken.length
}

/** Runs one action with this outcome. */
function act(slots: ServerSlots, outcome: 'answered' | 'failed', now = NOW, name = 'hs.test') {
  const slot = slots.take(name, now)
  if (slot === undefined) throw new Error(`${name} has no slot`)
  slots.giveBack(slot, outcome, now)
}

test('a server has 8 slots, 32 once it has answered, and 4 while it fails', () => {
  const slots = new ServerSlots(96)
  expect(free(slots)).toBe(8)
  act(slots, 'answered')
  expect(free(slots)).toBe(32)
  act(slots, 'failed')
  expect(free(slots)).toBe(4)
  expect(free(slots, 'other.test')).toBe(8)
  act(slots, 'answered')
  expect(free(slots)).toBe(32)
})

test('a server whose answer is ten minutes old has to answer anew', () => {
  const slots = new ServerSlots(96)
  act(slots, 'answered')
  expect(free(slots, 'hs.test', NOW + TEN_MINUTES_MS)).toBe(32)
  expect(free(slots, 'hs.test', NOW + TEN_MINUTES_MS + 1)).toBe(8)
})

test('unproven and failing servers leave room for the others', () => {
  const slots = new ServerSlots(96)
  act(slots, 'answered', NOW, 'good.test')
  for (let index = 0; index < 3; index += 1) act(slots, 'failed', NOW, `dead-${index}.test`)
  for (let index = 0; index < 3; index += 1) takeAll(slots, `dead-${index}.test`)
  for (let index = 0; index < 20; index += 1) takeAll(slots, `new-${index}.test`)
  expect(slots.take('newer.test', NOW)).toBeUndefined()
  // Half of what is free: 96, less 12 at failing and 24 at unproven servers.
  expect(free(slots, 'good.test')).toBe(30)
})

test('a proven server takes no more than half of what is free', () => {
  const slots = new ServerSlots(96)
  for (let index = 0; index < 8; index += 1) act(slots, 'answered', NOW, `hs-${index}.test`)
  const taken = [0, 1, 2, 3, 4, 5].map((index) => takeAll(slots, `hs-${index}.test`).length)
  expect(taken).toEqual([32, 32, 16, 8, 4, 2])
  expect(free(slots, 'hs-7.test')).toBe(1)
})

test('a returned slot can be taken again', () => {
  const slots = new ServerSlots(96)
  for (let round = 0; round < 100; round += 1) {
    const taken = ['a.test', 'b.test', 'c.test'].flatMap((name) => takeAll(slots, name))
    expect(taken).toHaveLength(24)
    for (const slot of taken) slots.giveBack(slot, 'given-up', NOW)
  }
})

test('an aborted action does not change the standing of the server', () => {
  const slots = new ServerSlots(96)
  expect(free(slots)).toBe(8)
  act(slots, 'failed')
  expect(free(slots)).toBe(4)
  expect(free(slots)).toBe(4)
})

test('simultaneous failures count once', () => {
  const slots = new ServerSlots(96)
  for (const [index, slot] of takeAll(slots).entries()) {
    slots.giveBack(slot, 'failed', NOW + Math.min(index * 100, 499))
  }
  expect(slots.retryInMs('hs.test', 0.5)).toBe(1_000)
  act(slots, 'failed', NOW + 500)
  expect(slots.retryInMs('hs.test', 0.5)).toBe(1_500)
})

test('retries a busy server soon, and a failing one with growing pauses', () => {
  const slots = new ServerSlots(96)
  expect([0, 0.5].map((random) => slots.retryInMs('hs.test', random))).toEqual([75, 150])
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

test('forgets servers without recent answers once there are many', () => {
  const slots = new ServerSlots(96)
  for (let index = 0; index < 1_000; index += 1) act(slots, 'failed', NOW, `hs-${index}.test`)
  act(slots, 'failed', NOW + TEN_MINUTES_MS, 'late.test')
  expect(free(slots, 'hs-0.test')).toBe(4)
  act(slots, 'failed', NOW + TEN_MINUTES_MS + 1, 'latest.test')
  expect(free(slots, 'hs-0.test')).toBe(8)
  expect(free(slots, 'hs-999.test')).toBe(8)
  expect(free(slots, 'late.test')).toBe(4)
})

test('does not forget a server with an action under way', () => {
  const slots = new ServerSlots(96)
  act(slots, 'failed', NOW, 'held.test')
  expect(takeAll(slots, 'held.test')).toHaveLength(4)
  const later = NOW + 2 * TEN_MINUTES_MS
  for (let index = 0; index < 1_001; index += 1) act(slots, 'failed', later, `hs-${index}.test`)
  expect(slots.take('held.test', later)).toBeUndefined()
})

/** Keeps all slots of a proven server busy, with answers that take `tookMs`. */
function keepBusy(slots: ServerSlots, tookMs: number, rounds: number): void {
  for (let round = 0; round < rounds; round += 1) {
    const at = NOW + round * tookMs
    for (const slot of takeAll(slots, 'hs.test', at)) slots.giveBack(slot, 'answered', at + tookMs)
  }
}

test('a server whose answers are fast gets more slots, up to half of all', () => {
  const slots = new ServerSlots(288)
  act(slots, 'answered')
  keepBusy(slots, 50, 200)
  expect(free(slots)).toBe(144)
})

test('a server whose answers are slow gets no more slots', () => {
  const slots = new ServerSlots(288)
  act(slots, 'answered')
  keepBusy(slots, 251, 200)
  expect(free(slots)).toBe(32)
})

test('a server whose answers become very slow loses slots, and all that it gained when it fails', () => {
  const slots = new ServerSlots(288)
  act(slots, 'answered')
  keepBusy(slots, 50, 200)
  const at = NOW + 60_000
  for (const slot of takeAll(slots, 'hs.test', at).slice(0, 50)) {
    slots.giveBack(slot, 'answered', at + 1_001)
  }
  expect(free(slots, 'hs.test', at)).toBeLessThan(144)
  const failing = new ServerSlots(288)
  act(failing, 'answered')
  keepBusy(failing, 50, 200)
  act(failing, 'failed')
  act(failing, 'answered')
  expect(free(failing)).toBe(32)
})
