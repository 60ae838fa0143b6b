import { expect, test } from 'bun:test'
import { TokenBuckets } from '../../src/lib/token-buckets.ts'

function setUp(rate = { perSecond: 2, burst: 3 }, maxKeys = 100) {
  let now = 0
  const buckets = new TokenBuckets(rate, maxKeys, () => now)
  return {
    buckets,
    pass(ms: number) {
      now += ms
    },
  }
}

test('grants a burst, then says when the next token is there', () => {
  const { buckets, pass } = setUp()
  expect([1, 2, 3].map(() => buckets.take('a'))).toEqual([0, 0, 0])
  expect(buckets.take('a')).toBe(500)
  pass(200)
  expect(buckets.take('a')).toBe(300)
  pass(300)
  expect(buckets.take('a')).toBe(0)
  expect(buckets.take('a')).toBe(500)
})

test('fills up to the burst and no further', () => {
  const { buckets, pass } = setUp()
  buckets.take('a')
  pass(3_600_000)
  expect([1, 2, 3, 4].map(() => buckets.take('a'))).toEqual([0, 0, 0, 500])
})

test('keeps a bucket for each key', () => {
  const { buckets } = setUp()
  for (let i = 0; i < 4; i += 1) buckets.take('a')
  expect(buckets.take('b')).toBe(0)
})

test('a charge takes a token that may be owed, up to a burst', () => {
  const { buckets, pass } = setUp()
  for (let i = 0; i < 5; i += 1) buckets.charge('a')
  expect(buckets.take('a')).toBe(1_500)
  for (let i = 0; i < 50; i += 1) buckets.charge('a')
  expect(buckets.take('a')).toBe(2_000)
  pass(2_000)
  expect(buckets.take('a')).toBe(0)
})

test('forgets the key that was used least recently', () => {
  const { buckets } = setUp({ perSecond: 1, burst: 1 }, 2)
  buckets.take('a')
  buckets.take('b')
  expect(buckets.take('a')).toBe(1_000)
  buckets.take('c')
  expect(buckets.size).toBe(2)
  expect(buckets.take('a')).toBe(1_000)
  expect(buckets.take('b')).toBe(0)
})

test('holds no more under a flood of new keys', () => {
  const { buckets } = setUp(undefined, 1_000)
  for (let i = 0; i < 200_000; i += 1) buckets.take(`2001:db8::${i}`)
  expect(buckets.size).toBe(1_000)
})
