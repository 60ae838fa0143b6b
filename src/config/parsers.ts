import type { LogLevel } from '../log.ts'

/**
 * A setting's value, or what is wrong with its text. `wrong` follows the name of the variable, and never
 * repeats the text: nobody knows what has been pasted into the wrong variable.
 */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly warning?: string }
  | { readonly ok: false; readonly wrong: string; readonly expected: string }

/** Reads a setting's text. */
export type Parser<T> = (text: string) => Parsed<T>

/** Takes a text, perhaps with a warning. */
export function good<T>(value: T, warning?: string): Parsed<T> {
  return warning === undefined ? { ok: true, value } : { ok: true, value, warning }
}

/** Refuses a text. */
export function bad(
  wrong: string,
  expected: string,
): { ok: false; wrong: string; expected: string } {
  return { ok: false, wrong, expected }
}

/** Whether a text is in quotes, which shells take away and files of variables do not. */
export function isQuoted(text: string): boolean {
  return /^(["'`])[\s\S]*\1$/.test(text)
}

/** What is around or inside a text that must be one word; `undefined` if nothing is. */
export function strayCharacters(text: string): string | undefined {
  if (isQuoted(text)) return 'is in quotes'
  if (/[\r\n]/.test(text)) return 'contains a line break'
  if (/^\s|\s$/.test(text)) return 'begins or ends with a space'
  if (/\s/.test(text)) return 'contains a space'
  return /[\p{Cc}\p{Cf}]/u.test(text) ? 'contains an invisible character' : undefined
}

/** Takes any text. */
export function anyText(text: string): Parsed<string> {
  return good(text)
}

/** Longer ones are not repeated: they may be a secret. */
const LARGEST_SHOWN = 999_999

function whyNoNumber(text: string): string {
  if (/^-\d+$/.test(text)) return 'is negative'
  if (/^\d+ ?[a-z]+$/i.test(text)) return 'has letters behind the number'
  return strayCharacters(text) ?? 'is not a whole number'
}

/**
 * Takes a whole number within bounds, both included.
 *
 * @param what - such as `a whole number of seconds`
 */
export function integer(min: number, max: number, what = 'a whole number'): Parser<number> {
  return (text) => {
    const expected = `${what} from ${min} to ${max}`
    if (!/^\d+$/.test(text)) return bad(whyNoNumber(text), expected)
    const value = Number(text)
    if (value >= min && value <= max) return good(value)
    const bound = value < min ? `below ${min}` : `above ${max}`
    return bad(value <= LARGEST_SHOWN ? `is ${value}, ${bound}` : `is ${bound}`, expected)
  }
}

/** Takes a whole number of seconds within bounds, both included. */
export function seconds(min: number, max: number): Parser<number> {
  return integer(min, max, 'a whole number of seconds')
}

/** Takes `true` or `false`, in the spellings that deployments use. */
export function boolean(text: string): Parsed<boolean> {
  const lower = text.toLowerCase()
  if (['true', '1', 't', 'yes', 'on'].includes(lower)) return good(true)
  if (['false', '0', 'f', 'no', 'off'].includes(lower)) return good(false)
  return bad(strayCharacters(text) ?? 'is neither true nor false', '"true" or "false"')
}

/** Takes one of a few words. */
export function oneOf<T extends string>(...words: readonly T[]): Parser<T> {
  return (text) => {
    const word = words.find((candidate) => candidate === text.toLowerCase())
    if (word !== undefined) return good(word)
    const wrong = strayCharacters(text) ?? `is neither ${words.join(' nor ')}`
    return bad(wrong, words.map((candidate) => `"${candidate}"`).join(' or '))
  }
}

function whyNoPath(text: string): string {
  if (isQuoted(text)) return 'is in quotes'
  if (/[\0\r\n]/.test(text)) return 'contains a line break'
  if (/^\s/.test(text)) return 'begins with a space'
  if (text.includes('://')) return 'is a URL'
  return text.endsWith('/') ? 'is the path of a directory' : 'does not begin like a path'
}

/** Takes the path of a file: absolute, or relative where it says so. */
export function filePath(text: string): Parsed<string> {
  const isFile = /^\.{0,2}\//.test(text) && !/[\0\r\n]/.test(text) && !text.endsWith('/')
  return isFile ? good(text) : bad(whyNoPath(text), 'a path that begins with "/", "./" or "../"')
}

/** Takes the name of a level; anything else means `info`, with a warning. */
export function logLevel(text: string): Parsed<LogLevel> {
  const lower = text.toLowerCase()
  const level = lower === 'warning' ? 'warn' : lower
  if (level === 'debug' || level === 'info' || level === 'warn' || level === 'error') {
    return good(level)
  }
  const warning = `is none of "debug", "info", "warn", "error"; "info" is used`
  return good('info', warning)
}

/** The one text that turns certificate checks off. */
export const INSECURE_CONFIRMATION = 'YES_I_KNOW_WHAT_I_AM_DOING'

/** Means yes for that text alone; any other text means no, with a warning. */
export function insecureSwitch(text: string): Parsed<boolean> {
  if (text === INSECURE_CONFIRMATION) return good(true)
  const warning = `certificates are checked, since it is not "${INSECURE_CONFIRMATION}"`
  return good(false, warning)
}
