import { expect, test } from 'bun:test'
import { CheckPace } from '../../src/delegation/work/check-pace.ts'

interface Question {
  readonly at: number
  readonly user: string
  readonly id: string
}

/** Simulates callers that retry exactly when they were told to. */
function ask(pace: CheckPace, questions: readonly Question[], endMs: number): Question[] {
  const asked: Question[] = []
  const byTime = new Map<number, Question[]>()
  const add = (question: Question) => {
    const at = Math.ceil(question.at)
    byTime.set(at, [...(byTime.get(at) ?? []), question])
  }
  for (const question of questions) add(question)
  for (let now = 0; now <= endMs; now += 1) {
    for (const question of byTime.get(now) ?? []) {
      const waitMs = pace.waitMs(question.user, question.id, now, 0.5)
      if (waitMs === 0) asked.push({ ...question, at: now })
      else add({ ...question, at: Math.max(now + waitMs, now + 1) })
    }
    byTime.delete(now)
  }
  return asked
}

function flood(users: number, each: number) {
  return Array.from({ length: users * each }, (_, index) => {
    return { at: index % 7, user: `user ${index % users}`, id: `id ${index}` }
  })
}

test('checks at once while there is little load', () => {
  const pace = new CheckPace()
  for (const user of ['a', 'b', 'c']) expect(pace.waitMs(user, user, 0, 0.5)).toBe(0)
})

test('asks about expected participants no more than 200 times a second, and about all of them', () => {
  const asked = ask(new CheckPace(), flood(100, 100), 120_000)
  expect(asked).toHaveLength(10_000)
  for (let second = 0; second < 60; second += 1) {
    const inSecond = asked.filter(({ at }) => at >= second * 1_000 && at < (second + 1) * 1_000)
    expect(inSecond.length).toBeLessThanOrEqual(200)
  }
  expect(asked.at(-1)?.at).toBeLessThan(70_000)
})

test('100 users with 100 delegations each delay the first check of another user by less than 3 s', () => {
  for (const at of [0, 500, 5_000]) {
    const newcomer = { at, user: 'newcomer', id: 'newcomer' }
    const asked = ask(new CheckPace(), [...flood(100, 100), newcomer], 60_000)
    const first = asked.find(({ user }) => user === 'newcomer')
    expect(Number(first?.at) - at).toBeLessThan(3_000)
  }
})

test('a user with many delegations delays only their own', () => {
  const pace = new CheckPace()
  for (let index = 0; index < 1_000; index += 1) pace.waitMs('flood', `id ${index}`, 0, 0.5)
  expect(pace.waitMs('newcomer', 'newcomer', 100, 0.5)).toBe(0)
})
