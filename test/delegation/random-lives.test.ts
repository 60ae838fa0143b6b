import { expect, test } from 'bun:test'
import { advance } from '../../src/delegation/life/lifecycle.ts'
import { type Delegation, dueAt } from '../../src/delegation/life/record.ts'
import type { DelegationSignal, Ended } from '../../src/delegation/life/signals.ts'
import { accept } from '../../src/delegation/life/waiting.ts'
import { NOW, waiting } from '../support/delegations.ts'
import { createRandom, pick } from '../support/random.ts'

const LIVES = 6_000
const SEED = 20_260_101
const HOUR_MS = 3_600_000

function newborn(random: () => number): Delegation {
  const { room, identity, generation, serverName, delayId } = waiting()
  const delayMs = pick(random, 100, 1_000, 30_000, HOUR_MS, 24 * HOUR_MS)
  const circumstances = { now: NOW, random: random(), sanityCheckMs: 0 }
  return accept({ room, identity, generation, serverName, delayId, delayMs }, circumstances)
}

function anySignal(random: () => number, now: number): DelegationSignal {
  const cause = 'webhook'
  const participantId = pick(random, undefined, 'PA_1', 'PA_2')
  const happenedBy = pick(random, undefined, now - 60_000, now + 999)
  const report = { cause, participantId, happenedBy }
  const onPurpose = random() < 0.5
  const replaced = random() < 0.2
  return pick<DelegationSignal>(
    random,
    { type: 'due' },
    { type: 'doubt' },
    { type: 'joined', ...report },
    { type: 'left', ...report, onPurpose, replaced },
    { type: 'aborted', ...report, onPurpose, replaced },
    { type: 'room-finished', ...report },
    { type: 'present', participantId },
    { type: 'absent' },
    { type: 'presence-unknown' },
    { type: 'restarted', at: now - 40 },
    { type: 'sent' },
    { type: 'event-gone' },
    {
      type: 'attempt-failed',
      answered: true,
      retryAfterMs: pick(random, undefined, 0, 5_000, 1e300),
    },
    { type: 'client-api-unresolvable' },
  )
}

const ACTIONS: Readonly<Record<Delegation['state'], readonly unknown[]>> = {
  waiting: [undefined, 'check-presence'],
  connected: [undefined, 'check-presence', 'restart'],
  leaving: [undefined, 'check-presence', 'send'],
}

test('sends only while leaving, and sets only finite times, whatever happens', () => {
  const random = createRandom(SEED)
  let sent = 0
  for (let life = 0; life < LIVES; life += 1) {
    let now = NOW
    let current: Delegation | undefined = newborn(random)
    for (let signals = 0; current !== undefined && signals < 50; signals += 1) {
      now += Math.floor(random() * 20_000)
      const signal = anySignal(random, now)
      const before: Delegation = current
      const circumstances = { now, random: random(), sanityCheckMs: pick(random, 0, 3_000) }
      const { next, action, transition } = advance(before, signal, circumstances)
      if (action === 'send') sent += 1

      expect(ACTIONS[before.state]).toContain(action)
      if (action !== undefined) expect(next).toBe(before)
      expect(transition === undefined).toBe(next?.state === before.state)
      current = next
      if (next === undefined) continue
      expect(JSON.parse(JSON.stringify(next))).toEqual(next)
      expect(dueAt(next)).toBeGreaterThan(NOW - 1)
      expect(dueAt(next)).toBeLessThan(NOW + 100 * 24 * HOUR_MS)
    }
  }
  expect(sent).toBeGreaterThan(100)
})

/** Answers of SFU and homeserver when nothing works. */
const FAILURES = {
  'check-presence': { type: 'presence-unknown' },
  restart: { type: 'attempt-failed', answered: false },
  send: { type: 'attempt-failed', answered: true, retryAfterMs: 0 },
} as const

test('every delegation ends when nothing works, after a bounded number of attempts', () => {
  const random = createRandom(SEED)
  for (let life = 0; life < LIVES; life += 1) {
    let now = NOW
    let current: Delegation | undefined = newborn(random)
    for (
      let signals = Math.floor(random() * 5);
      current !== undefined && signals > 0;
      signals -= 1
    ) {
      current = advance(current, anySignal(random, now), circumstances(now, random)).next
    }
    let steps = 0
    while (current !== undefined) {
      now = Math.max(now, Math.ceil(dueAt(current)))
      const due = advance(current, { type: 'due' }, circumstances(now, random))
      const signal = due.action === undefined ? undefined : FAILURES[due.action]
      current =
        signal === undefined ? due.next : advance(current, signal, circumstances(now, random)).next
      steps += 1
      if (steps > 20_000) throw new Error(`does not end: ${JSON.stringify(current)}`)
    }
    expect(now).toBeLessThanOrEqual(NOW + 26 * HOUR_MS)
  }
})

function circumstances(now: number, random: () => number) {
  return { now, random: random(), sanityCheckMs: 0 }
}

interface Swap {
  readonly at: number
  /** Until then the SFU reports the participant as absent. */
  readonly storedAt: number
  readonly toldAt: number
  readonly reason: Ended
}

function replacedBy(random: () => number, happenedBy: number): Ended {
  const cause = pick(random, 'DUPLICATE_IDENTITY', 'MIGRATION')
  const how = { type: 'left', onPurpose: false, replaced: true } as const
  return { ...how, cause, participantId: pick(random, undefined, 'PA_1', 'PA_2'), happenedBy }
}

function swapsOf(random: () => number): readonly Swap[] {
  const swaps: Swap[] = []
  let at = NOW + 8_000
  while (at < NOW + 120_000) {
    const storedAt = at + 100 + random() * 1_800
    // Nothing else happens around a late or lost webhook.
    const isLate = random() < 0.4
    const lateMs = pick(random, random() * 3_000, Number.POSITIVE_INFINITY)
    const toldAt = at + (isLate ? lateMs : random() * 50)
    swaps.push({ at, storedAt, toldAt, reason: replacedBy(random, at + 999) })
    at += isLate ? 8_000 + random() * 20_000 : 2_000 + random() * 20_000
  }
  return swaps
}

/** Runs a delegation whose participant only reconnects. */
function liveThroughSwaps(random: () => number): Delegation | undefined {
  const swaps = swapsOf(random)
  const delayMs = pick(random, 3_000, 10_000, 30_000)
  const isThere = (at: number) => !swaps.some((swap) => at >= swap.at && at < swap.storedAt)
  const told = swaps.filter(({ toldAt }) => Number.isFinite(toldAt))
  let current: Delegation | undefined = advance(
    { ...newborn(random), delayMs, deadlineAt: NOW + delayMs },
    { type: 'present', participantId: 'PA_1' },
    circumstances(NOW, random),
  ).next
  let now = NOW
  while (current !== undefined && current.state === 'connected' && now < NOW + 130_000) {
    const [next] = told
    if (next !== undefined && next.toldAt <= dueAt(current)) {
      told.shift()
      now = Math.max(now, next.toldAt)
      current = advance(current, next.reason, circumstances(now, random)).next
      continue
    }
    now = Math.max(now, dueAt(current))
    const { action } = advance(current, { type: 'due' }, circumstances(now, random))
    const signal: DelegationSignal =
      action === 'restart'
        ? { type: 'restarted', at: now }
        : { type: isThere(now) ? 'present' : 'absent' }
    current = advance(current, signal, circumstances(now, random)).next
    now += 1
  }
  return current
}

test('never announces a participant who only reconnects, however late the SFU reports it', () => {
  const random = createRandom(SEED)
  for (let life = 0; life < LIVES; life += 1) {
    expect(liveThroughSwaps(random)?.state).toBe('connected')
  }
})
