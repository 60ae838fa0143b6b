import { expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import { type Delegation, dueAt } from '../../src/delegation/life/record.ts'
import type { DelegationSignal } from '../../src/delegation/life/signals.ts'
import { backoffMs } from '../../src/delegation/life/timing.ts'
import { accept } from '../../src/delegation/life/waiting.ts'
import { leaseMs } from '../../src/delegation/store/store.ts'
import { circumstances, connected, leaving, NOW, waiting } from '../support/delegations.ts'

const HOUR_MS = 3_600_000

function after(delegation: Delegation, signal: DelegationSignal, overrides = {}): unknown {
  return advance(delegation, signal, circumstances(overrides)).next
}

function accepted(delayMs: number) {
  const { room, identity, generation, serverName, delayId } = waiting()
  return accept({ room, identity, generation, serverName, delayId, delayMs }, circumstances())
}

for (const [failures, shortest, middle, longest] of [
  [0, 500, 1_000, 1_500],
  [1, 500, 1_000, 1_500],
  [2, 750, 1_500, 2_250],
  [3, 1_125, 2_250, 3_375],
  [6, 3_796.875, 7_593.75, 11_390.625],
  [12, 43_248.779_296_875, 60_000, 60_000],
  [1_000_000, 60_000, 60_000, 60_000],
] as const) {
  test(`after ${failures} failures the next attempt waits ${shortest} to ${longest} ms`, () => {
    expect(backoffMs(failures, 0)).toBe(shortest)
    expect(backoffMs(failures, 0.5)).toBe(middle)
    expect(backoffMs(failures, 1)).toBe(longest)
  })
}

test('an accepted delegation is checked after about a second, and waits for its delay', () => {
  expect(accepted(30_000)).toEqual({
    ...waiting({ acceptedAt: NOW, deadlineAt: NOW + 30_000, waitUntil: NOW + 30_000 }),
    checkAt: NOW + 1_000,
  })
})

test('a wait lasts an hour at most', () => {
  const { waitUntil, deadlineAt } = accepted(2 * HOUR_MS)
  expect(waitUntil).toBe(NOW + HOUR_MS)
  expect(deadlineAt).toBe(NOW + 2 * HOUR_MS)
})

test('polls presence with growing pauses while waiting', () => {
  const once = after(waiting(), { type: 'absent' })
  expect(once).toEqual(waiting({ failures: 1, checkAt: NOW + 1_500, absentSince: NOW }))
  const twice = after(waiting({ failures: 1 }), { type: 'presence-unknown' })
  expect(twice).toEqual(waiting({ failures: 2, checkAt: NOW + 2_250 }))
})

test('the event is restarted as soon as the participant is connected', () => {
  const next = after(waiting(), { type: 'present', participantId: 'PA_1' })
  expect(next).toEqual(
    connected({ connectedAt: NOW, restartAt: NOW, checkAt: NOW + 12_000, failures: 0 }),
  )
})

test('the next restart is due after 80 % of the delay, counted from the request', () => {
  const next = after(connected({ failures: 3 }), { type: 'restarted', at: NOW - 40 })
  expect(next).toEqual(
    connected({ restartAt: NOW - 40 + 24_000, deadlineAt: NOW - 40 + 30_000, failures: 0 }),
  )
})

for (const [delayMs, restartInMs] of [
  [100, 80],
  [500, 400],
  [3_000, 2_400],
] as const) {
  test(`a delay of ${delayMs} ms is restarted after 80 % of it like all others`, () => {
    const next = after(connected({ delayMs }), { type: 'restarted', at: NOW })
    expect(next).toMatchObject({ restartAt: NOW + restartInMs, deadlineAt: NOW + delayMs })
  })
}

test('a failed restart is repeated with growing pauses', () => {
  const once = after(connected(), { type: 'attempt-failed', answered: false })
  expect(once).toEqual(connected({ failures: 1, restartAt: NOW + 1_000 }))
  const twice = after(
    connected({ failures: 1 }),
    { type: 'attempt-failed', answered: false },
    { random: 0 },
  )
  expect(twice).toEqual(connected({ failures: 2, restartAt: NOW + 750 }))
})

const FAR = { deadlineAt: NOW + 10 * HOUR_MS, giveUpAt: NOW + 10 * HOUR_MS }

for (const [retryAfterMs, waitMs] of [
  [7_000, 7_000],
  [0, 500],
  [1e300, HOUR_MS],
  [Number.POSITIVE_INFINITY, HOUR_MS],
] as const) {
  test(`a retry-after of ${retryAfterMs} ms leads to a retry after ${waitMs} ms`, () => {
    const signal = { type: 'attempt-failed', answered: true, retryAfterMs } as const
    expect(after(connected(FAR), signal)).toMatchObject({ restartAt: NOW + waitMs })
    expect(after(leaving(FAR), signal)).toMatchObject({ sendAt: NOW + waitMs })
  })
}

for (const [delayMs, untilMs, lastInMs] of [
  [30_000, 20_000, 18_500],
  [10_000, 8_000, 7_000],
  [600_000, 100_000, 70_000],
  [10_000, 900, 500],
  [500, 90, 50],
] as const) {
  test(`with ${untilMs} ms left of ${delayMs}, a last attempt comes after ${lastInMs} ms despite any retry-after`, () => {
    const signal = { type: 'attempt-failed', answered: true, retryAfterMs: 1e9 } as const
    const times = { delayMs, deadlineAt: NOW + untilMs, giveUpAt: NOW + untilMs }
    expect(after(connected(times), signal)).toMatchObject({ restartAt: NOW + lastInMs })
    expect(after(leaving(times), signal)).toMatchObject({ sendAt: NOW + lastInMs })
  })
}

test('without a sanity interval presence is checked once per restart', () => {
  const next = after(connected(), { type: 'present', participantId: 'PA_1' })
  expect(next).toEqual(connected({ checkAt: NOW + 24_000 }))
})

test.each([0, 24 * HOUR_MS])(
  'presence is checked once an hour at least, however long the delay, with %p ms as sanity interval',
  (sanityCheckMs) => {
    const day = { delayMs: 24 * HOUR_MS, deadlineAt: NOW + 24 * HOUR_MS }
    expect(after(connected(day), { type: 'present' }, { sanityCheckMs })).toMatchObject({
      checkAt: NOW + HOUR_MS,
    })
    expect(after(waiting(day), { type: 'present' }, { sanityCheckMs })).toMatchObject({
      state: 'connected',
      checkAt: NOW + HOUR_MS / 2,
    })
  },
)

test('a sanity interval makes checks of presence more frequent, not rarer', () => {
  const often = after(connected(), { type: 'present' }, { sanityCheckMs: 3_000 })
  expect(often).toEqual(connected({ checkAt: NOW + 3_000 }))
  const rarely = after(connected(), { type: 'present' }, { sanityCheckMs: 60_000 })
  expect(rarely).toEqual(connected({ checkAt: NOW + 24_000 }))
})

test('asks an SFU without an answer again with growing pauses, and changes nothing else', () => {
  const next = after(connected({ checkFailures: 1 }), { type: 'presence-unknown' })
  expect(next).toEqual(connected({ checkFailures: 2, checkAt: NOW + 1_500 }))
})

for (const [deadlineInMs, givesUpInMs] of [
  [20_000, 20_000],
  [1_000, 1_000],
  [999, 1_000],
  [-5_000, 1_000],
  [5 * HOUR_MS, HOUR_MS],
] as const) {
  test(`with ${deadlineInMs} ms until the deadline, sending is tried for ${givesUpInMs} ms`, () => {
    const from = connected({ deadlineAt: NOW + deadlineInMs, absentSince: NOW - 2_000 })
    expect(after(from, { type: 'absent' })).toMatchObject({
      state: 'leaving',
      sendAt: NOW,
      giveUpAt: NOW + givesUpInMs,
    })
  })
}

for (const [delayMs, lease] of [
  [100, 100],
  [2_500, 100],
  [30_000, 1_200],
  [100_000, 4_000],
  [HOUR_MS, 10_000],
] as const) {
  test(`a delay of ${delayMs} ms is leased for ${lease} ms`, () => {
    expect(leaseMs(delayMs, 10_000)).toBe(lease)
  })
}

test('a delegation is due at the first of its times', () => {
  expect(dueAt(waiting())).toBe(NOW + 1_000)
  expect(dueAt(waiting({ checkAt: NOW + 60_000 }))).toBe(NOW + 20_000)
  expect(dueAt(connected())).toBe(NOW + 7_000)
  expect(dueAt(connected({ checkAt: NOW + 60_000 }))).toBe(NOW + 14_000)
  expect(dueAt(connected({ checkAt: NOW + 60_000, restartAt: NOW + 60_000 }))).toBe(NOW + 20_000)
  expect(dueAt(leaving())).toBe(NOW + 1_000)
  expect(dueAt(leaving({ sendAt: NOW + 60_000 }))).toBe(NOW + 20_000)
})
