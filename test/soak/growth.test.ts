import { describe, expect, test } from 'bun:test'
import { compareLevels, renderGrowths, tooMuch } from './growth.ts'

const EARLY = {
  Timeout: 10,
  Object: 2_000,
  Structure: 7_000,
  FunctionExecutable: 4_000,
  'connections of clients': 1,
  'connections to Redis': 3,
  'connections elsewhere': 12,
}

function grown(late: Readonly<Record<string, number>>): readonly string[] {
  return tooMuch(compareLevels(EARLY, { ...EARLY, ...late })).map(({ name }) => name)
}

describe('what is left after the soak', () => {
  test.each([
    ['the same', {}],
    ['less', { Timeout: 0, Object: 1_000 }],
    ['a few more of a class', { Timeout: 30, Gate: 20 }],
    ['some hundred objects more', { Object: 2_400 }],
    ['more code', { Structure: 8_000, FunctionExecutable: 5_000 }],
    ['as many connections as the runtime keeps', { 'connections elsewhere': 74 }],
  ])('is sound with %s', (_, late) => {
    expect(grown(late)).toEqual([])
  })

  test.each([
    ['Timeout', 31],
    ['Gate', 21],
    ['Object', 2_401],
    ['connections of clients', 17],
    ['connections to Redis', 4],
    ['connections elsewhere', 75],
  ])('is not with more of "%s"', (name, count) => {
    expect(grown({ [name]: count })).toEqual([name])
  })

  test('is not with far more code', () => {
    expect(grown({ Structure: 12_000 })).toEqual(['code and shapes'])
  })
})

test('the table shows what grew, and what matters even if it did not', () => {
  const table = renderGrowths(compareLevels(EARLY, { ...EARLY, Leak: 400, Gate: 3 }))
  expect(table).toMatch(/^ *Leak +0 +400 +20 +GREW$/m)
  expect(table).toMatch(/^ *Timeout +10 +10 +30 *$/m)
  expect(table).not.toContain('Gate')
})
