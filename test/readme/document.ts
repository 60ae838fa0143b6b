import { join } from 'node:path'

/** Root of the project. */
export const ROOT = join(import.meta.dir, '../..')

/** The README. */
export const README = await Bun.file(join(ROOT, 'README.md')).text()

/** A block of code. */
export interface Block {
  /** What follows the backticks that open it. */
  readonly language: string
  readonly text: string
}

const BLOCK = /^```(\w*)\n([\s\S]*?)^```$/gm

/** The blocks of code. */
export const BLOCKS: readonly Block[] = [...README.matchAll(BLOCK)].map(
  ([, language = '', text = '']) => ({ language, text }),
)

/** All that is not in a block of code. */
export const PROSE = README.replace(BLOCK, '')

/** The prose, with each heading, paragraph, item and row on one line. */
export const UNWRAPPED = PROSE.replace(/(?<!\n|^#.*)\n *(?![\n|#]|- |\d+\. )/gm, ' ')

/** What the prose has between backticks. */
export const SPANS: readonly string[] = [...PROSE.matchAll(/`([^`]+)`/g)].map(
  ([, text = '']) => text,
)

const [, aboutSecret = ''] = /^- \*\*A new API secret\.\*\* ([\s\S]*?)^- /m.exec(README) ?? []

/** What it says about a new API secret. */
export const NEW_SECRET = {
  text: aboutSecret,
  commands: SPANS.filter((text) => / >>? /.test(text) && aboutSecret.includes(text)),
} as const

/** The rows of a table that begins with certain headings, cell by cell, without backticks. */
export function rowsUnder(...headings: readonly string[]): readonly (readonly string[])[] {
  const [, rows] = README.split(`| ${headings.join(' | ')} |\n`)
  if (rows === undefined) throw new Error(`the README has no table with ${headings.join(', ')}`)
  const [table = ''] = rows.split('\n\n')
  const lines = table.split('\n').slice(1)
  return lines.map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.replaceAll('`', '')),
  )
}
