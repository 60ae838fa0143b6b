import type { LogLevel } from '../log.ts'
import type { Parsed } from './parsers.ts'

/** Takes the name of a level; anything else means `info`, with a warning. */
export function logLevel(text: string): Parsed<LogLevel> {
  const lower = text.toLowerCase()
  const level = lower === 'warning' ? 'warn' : lower
  if (level === 'debug' || level === 'info' || level === 'warn' || level === 'error') {
    return { ok: true, value: level }
  }
  const warning = `is none of "debug", "info", "warn", "error"; "info" is used`
  return { ok: true, value: 'info', warning }
}

const MIN_SECRET_LENGTH = 32

/** Why a secret is too short to sign with; `undefined` when it is long enough. */
export function secretWarning(secret: string): string | undefined {
  if (secret.length >= MIN_SECRET_LENGTH) return undefined
  return (
    `is shorter than ${MIN_SECRET_LENGTH} characters: ` +
    'whoever holds one token can guess it; use a longer, random one'
  )
}

/** Takes any text; one that can be guessed is warned about. */
export function signingSecret(text: string): Parsed<string> {
  const warning = secretWarning(text)
  return warning === undefined ? { ok: true, value: text } : { ok: true, value: text, warning }
}

/** The one text that turns certificate checks off. */
export const INSECURE_CONFIRMATION = 'YES_I_KNOW_WHAT_I_AM_DOING'

/** Takes that text alone for yes; anything else is warned about. */
export function insecureSwitch(text: string): Parsed<boolean> {
  if (text === INSECURE_CONFIRMATION) return { ok: true, value: true }
  const warning = `certificates are checked, since it is not "${INSECURE_CONFIRMATION}"`
  return { ok: true, value: false, warning }
}
