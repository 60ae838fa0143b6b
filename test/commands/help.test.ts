import { expect, test } from 'bun:test'
import { CATALOGUE } from '../../src/catalogue/catalogue.ts'
import type { Entry } from '../../src/catalogue/entry.ts'
import { help } from '../../src/commands/help.ts'

const ENTRIES: readonly (readonly [code: string, Entry])[] = Object.entries(CATALOGUE)

/** What `--help` prints about a name. */
function printed(name: string): string {
  let text = ''
  const out = (part: string) => {
    text += part
  }
  expect(help([name], { out, err: expect.unreachable }, '0.0.0')).toBe(0)
  return text
}

test('the help about codes stays within 100 columns', () => {
  const texts = ['codes', ...Object.keys(CATALOGUE)].map(printed)
  const lines = texts.flatMap((text) => text.split('\n'))
  expect(lines.filter((line) => line.length > 100)).toEqual([])
})

test.each(ENTRIES)('the help about %s says all of it', (code, { sentence, remedy }) => {
  const [name, empty, ...lines] = printed(code).split('\n')
  expect([name, empty]).toEqual([code, ''])
  const help = remedy?.replaceAll('{}', '(what it is about)')
  expect(lines.join(' ')).toBe(`${sentence} ${help ?? 'There is nothing to do about it here.'} `)
})

test('the list of codes has each with its sentence below it', () => {
  const flat = printed('codes').replaceAll('\n    ', ' ')
  const codes = ENTRIES.map(([code, { sentence }]) => `${code} ${sentence}`)
  expect(flat.trim().split('\n').toSorted()).toEqual(codes.toSorted())
})
