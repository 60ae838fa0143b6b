import type { Parsed } from './parsers.ts'
import { type Setting, setting } from './reader.ts'

function notYet(name: string, inert: string) {
  const meaning = 'not available in this version'
  const found = 'a value that this version cannot honour'
  const bad = { ok: false, found, expected: `it not to be set, which means "${inert}"` } as const
  const parse = (text: string): Parsed<string> =>
    text.toLowerCase() === inert ? { ok: true, value: inert } : bad
  return setting({ name, defaultText: inert, meaning, parse })
}

/**
 * Settings that exist but cannot be honoured yet: setting one to anything but its default text stops
 * the start, since the operator relies on something that would not happen.
 */
export const UNAVAILABLE_SETTINGS: readonly Setting<string>[] = [
  notYet('LIVEKIT_RATE_LIMIT', 'off'),
  notYet('LIVEKIT_TRUSTED_PROXIES', 'none'),
  notYet('LIVEKIT_METRICS_BIND', 'off'),
]
