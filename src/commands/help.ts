import { distance } from 'fastest-levenshtein'
import { CATALOGUE, isCauseCode } from '../catalogue/catalogue.ts'
import { type Entry, filledIn } from '../catalogue/entry.ts'
import { helpText, settingHelp } from '../config/guide.ts'
import { noteLine, type SettingNote } from '../config/reader.ts'
import { visibleText } from '../visible-text.ts'
import type { CommandOutput } from './registration.ts'

/** Stands for what a remedy names when it is about one occurrence. */
const ANY = '(what it is about)'
const CODES = 'codes'
const MAX_TYPOS = 3
const MAX_SHOWN = 60
const WIDTH = 100

/** Breaks a text into lines that begin with `indent`. */
function wrapped(text: string, indent = ''): string {
  return `${Bun.wrapAnsi(text, WIDTH - indent.length).replace(/^/gm, indent)}\n`
}

/** What the catalogue says of a code; `undefined` if it is none. */
function causeHelp(code: string): string | undefined {
  const lower = code.toLowerCase()
  if (!isCauseCode(lower)) return undefined
  const { sentence, remedy = 'There is nothing to do about it here.' }: Entry = CATALOGUE[lower]
  return `${lower}\n\n${wrapped(sentence)}${wrapped(filledIn(remedy, ANY))}`
}

/** All codes with what they mean. */
function codesHelp(): string {
  const codes = Object.entries(CATALOGUE).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return codes.map(([code, { sentence }]) => `${code}\n${wrapped(sentence, '    ')}`).join('')
}

/** Says that a name means nothing, and what was probably meant. */
function unknown(name: string, note: SettingNote): string {
  const list = '(--help lists all settings, --help codes all codes)'
  if (note.text.includes('did you mean')) return `${noteLine(note)} ${list}\n`
  const lower = name.toLowerCase()
  const near = Object.keys(CATALOGUE).find((code) => distance(code, lower) <= MAX_TYPOS)
  const question = near === undefined ? '' : `; did you mean ${near}?`
  const shown = visibleText(name.slice(0, MAX_SHOWN))
  return `${shown}: is neither a setting nor a code${question} ${list}\n`
}

/**
 * The `--help` command: lists commands and settings, or explains one setting, or one code of a log line.
 *
 * @returns the exit code: 2 for a name that is neither
 */
export function help(
  names: readonly string[],
  { out, err }: CommandOutput,
  version: string,
): number {
  const [name, ...others] = names
  if (others.length > 0) {
    err(`expected one setting or code, found ${names.length}; --help lists the settings\n`)
    return 2
  }
  if (name === undefined) {
    out(helpText(version))
    return 0
  }
  const cause = name === CODES ? codesHelp() : causeHelp(name)
  const about = cause === undefined ? settingHelp(name) : { text: cause }
  if ('text' in about) {
    out(about.text)
    return 0
  }
  err(unknown(name, about.unknown))
  return 2
}
