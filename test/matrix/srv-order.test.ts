import { expect, test } from 'bun:test'
import { orderForConnecting } from '../../src/matrix/srv-order.ts'

function record(target: string, priority: number, weight: number) {
  return { target, priority, weight, port: 8448 }
}

function orderOf(records: ReturnType<typeof record>[], ...draws: number[]): string {
  let draw = 0
  const next = () => draws[draw++] ?? 0
  return orderForConnecting(records, next)
    .map(({ target }) => target)
    .join(' ')
}

test('orders by priority first', () => {
  const records = [record('c', 30, 9), record('a', 10, 0), record('b', 20, 99)]
  expect(orderOf(records, 0.9, 0.9, 0.9)).toBe('a b c')
})

test('draws by weight within a priority, without replacement', () => {
  const records = [record('a', 1, 10), record('b', 1, 20), record('c', 1, 70)]
  expect(orderOf(records, 0.09, 0.2)).toBe('a b c')
  expect(orderOf(records, 0.11, 0.0)).toBe('b a c')
  expect(orderOf(records, 0.31, 0.32)).toBe('c a b')
  expect(orderOf(records, 0.31, 0.34)).toBe('c b a')
  expect(orderOf(records, 0.999, 0.999)).toBe('c b a')
})

test('draws each record as often as its weight says', () => {
  const records = [record('a', 1, 1), record('b', 1, 3)]
  const draws = Array.from({ length: 100 }, (_, n) => n / 100)
  const first = draws.map((draw) => orderOf(records, draw).slice(0, 1))
  expect(first.filter((target) => target === 'a')).toHaveLength(25)
})

test('keeps records without weight for the end', () => {
  const records = [record('a', 1, 0), record('b', 1, 1), record('c', 1, 0)]
  expect(orderOf(records, 0.5, 0, 0)).toBe('b a c')
})

test('returns every record once when none has weight', () => {
  const records = [record('a', 1, 0), record('b', 1, 0), record('b', 1, 0)]
  expect(orderOf(records, 0.5, 0.5, 0.5)).toBe('a b b')
  expect(orderOf([], 0.5)).toBe('')
})
