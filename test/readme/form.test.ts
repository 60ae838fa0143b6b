import { expect, test } from 'bun:test'
import { PROSE, README } from './document.ts'

/** How a heading is linked to. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-')
}

test('the README is short enough to be read', () => {
  expect(README.split('\n').length - 1).toBeLessThanOrEqual(280)
  expect(Buffer.byteLength(README)).toBeLessThanOrEqual(20_000)
})

test('no line of it is too long, and no table is padded', () => {
  const lines = PROSE.split('\n')
  expect(lines.filter((line) => line.length > 160)).toEqual([])
  expect(lines.filter((line) => line.startsWith('|') && / {2}|----/.test(line))).toEqual([])
})

test('every block of code is closed, and no code in a line is broken in two', () => {
  expect(PROSE).not.toContain('```')
  const isBroken = (line: string) => line.split('`').length % 2 === 0
  expect(PROSE.split('\n').filter(isBroken)).toEqual([])
})

test('its links to itself lead somewhere', () => {
  const headings = [...PROSE.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading))
  const links = [...PROSE.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = '']) => anchor)
  expect(links.filter((anchor) => !headings.includes(anchor))).toEqual([])
})
