import { expect, test } from 'bun:test'
import { TokenBuckets } from '../../src/lib/token-buckets.ts'

function bucketsOf(perSecond: number, burst: number, maxKeys = 10) {
  const clock = { now: 1_000 }
  const buckets = new TokenBuckets({ perSecond, burst }, maxKeys, () => clock.now)
  return { buckets, clock, takes: (count: number, key = 'a') => takes(buckets, count, key) }
}

function takes(buckets: TokenBuckets, count: number, key: string): number[] {
  return Array.from({ length: count }, () => buckets.take(key))
}

test('gives the burst at once, then says when there will be one more', () => {
  const { takes } = bucketsOf(2, 3)
  expect(takes(5)).toEqual([0, 0, 0, 500, 500])
})

test.each([
  { perSecond: 50, waitMs: 15, next: [5, 5] },
  { perSecond: 50, waitMs: 20, next: [0, 20] },
  { perSecond: 50, waitMs: 30, next: [0, 10] },
  { perSecond: 50, waitMs: 60, next: [0, 0, 0, 20] },
  { perSecond: 3, waitMs: 333, next: [1] },
  { perSecond: 3, waitMs: 334, next: [0, 333] },
  { perSecond: 1, waitMs: 250, next: [750] },
  { perSecond: 1_000, waitMs: 0, next: [1] },
  { perSecond: 50, waitMs: 3_600_000, next: [0, 0, 0, 0, 20] },
])('$perSecond a second: $waitMs ms after the burst says $next', ({ perSecond, waitMs, next }) => {
  const { clock, takes } = bucketsOf(perSecond, 4)
  takes(4)
  clock.now += waitMs
  expect(takes(next.length)).toEqual([...next])
})

test.each([1, 2, 3, 7, 25, 50, 333])(
  'who waits as told gets a token (%d a second)',
  (perSecond) => {
    const { buckets, clock, takes } = bucketsOf(perSecond, 1)
    takes(1)
    for (let round = 0; round < 1_000; round += 1) {
      clock.now += buckets.take('a')
      expect(buckets.take('a')).toBe(0)
    }
  },
)

test('a refused request costs nothing', () => {
  const { clock, takes } = bucketsOf(1, 1)
  takes(1_000)
  clock.now += 1_000
  expect(takes(2)).toEqual([0, 1_000])
})

test('a charge costs a token', () => {
  const { buckets, takes } = bucketsOf(2, 4)
  takes(1)
  buckets.charge('a')
  expect(takes(3)).toEqual([0, 0, 500])
})

test('a charge is owed when there is no token', () => {
  const { buckets, takes } = bucketsOf(2, 1)
  takes(1)
  buckets.charge('a')
  expect(takes(1)).toEqual([1_000])
})

test('no more than a burst is ever owed', () => {
  const { buckets, clock, takes } = bucketsOf(2, 3)
  for (let n = 0; n < 1_000; n += 1) buckets.charge('a')
  expect(takes(1)).toEqual([2_000])
  clock.now += 2_000
  expect(takes(2)).toEqual([0, 500])
})

test('keys share nothing', () => {
  const { takes } = bucketsOf(2, 2)
  expect(takes(3, 'a')).toEqual([0, 0, 500])
  expect(takes(3, 'b')).toEqual([0, 0, 500])
  expect(takes(1, 'a')).toEqual([500])
})

test('forgets keys that were not used for longest when there are too many', () => {
  const { buckets, takes } = bucketsOf(1, 1, 4)
  for (const key of ['a', 'b', 'c']) takes(1, key)
  takes(1, 'a')
  buckets.charge('d')
  expect(buckets.size).toBe(3)
  expect(takes(1, 'a')).toEqual([1_000])
  expect(takes(1, 'c')).toEqual([1_000])
  expect(takes(1, 'd')).toEqual([1_000])
  // Forgotten, and with it what it had used.
  expect(takes(1, 'b')).toEqual([0])
})

test('keeps what was used in the time that it takes to fill up, however much was owed', () => {
  const { buckets, clock, takes } = bucketsOf(2, 4, 100)
  for (let n = 0; n < 10; n += 1) buckets.charge('a')
  clock.now += 3_999
  takes(1, 'b')
  expect(takes(5, 'a')).toEqual([0, 0, 0, 1, 1])
})

test('forgets what has filled up', () => {
  const { buckets, clock, takes } = bucketsOf(2, 4, 100)
  for (const key of ['a', 'b', 'c']) takes(5, key)
  clock.now += 4_000
  takes(1, 'd')
  expect(buckets.size).toBe(4)
  clock.now += 4_000
  takes(1, 'e')
  expect(buckets.size).toBe(2)
  expect(takes(5, 'a')).toEqual([0, 0, 0, 0, 500])
})

function heapBytes(): number {
  Bun.gc(true)
  return process.memoryUsage().heapUsed
}

test('200,000 new keys take the memory of as many as are kept', () => {
  const buckets = new TokenBuckets({ perSecond: 50, burst: 1_000 }, 50_000, () => 0)
  const fill = (from: number) => {
    for (let n = from; n < from + 50_000; n += 1) buckets.take(`2001:db8:${n}::/64`)
  }
  const before = heapBytes()
  fill(0)
  const filled = heapBytes()
  for (const from of [50_000, 100_000, 150_000]) fill(from)
  const flooded = heapBytes()
  expect(buckets.size).toBe(50_000)
  expect(filled - before).toBeLessThan(16 * 1_048_576)
  expect(flooded - filled).toBeLessThan(4 * 1_048_576)
})
