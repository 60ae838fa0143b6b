import type { Parsed } from './parsers.ts'
import { type Setting, setting } from './reader.ts'

function notYet(name: string, inert: string, more: Partial<Setting<string>> = {}) {
  const meaning = 'not available in this version'
  const found = 'a value that this version cannot honour'
  const bad = { ok: false, found, expected: `it not to be set, which means "${inert}"` } as const
  const parse = (text: string): Parsed<string> =>
    text.toLowerCase() === inert ? { ok: true, value: inert } : bad
  return setting({ name, defaultText: inert, meaning, parse, ...more })
}

/**
 * Settings that exist but cannot be honoured yet: setting one to anything but its default text stops
 * the start, since the operator relies on something that would not happen.
 */
export const UNAVAILABLE_SETTINGS: readonly Setting<string>[] = [
  notYet('LIVEKIT_RATE_LIMIT', 'off'),
  notYet('LIVEKIT_TRUSTED_PROXIES', 'none'),
  notYet('LIVEKIT_METRICS_BIND', 'off'),
  notYet('LIVEKIT_AS_REGISTRATION_FILE', 'none'),
  notYet('LIVEKIT_AS_TOKEN', 'none', { fromFile: true, secret: true }),
  notYet('LIVEKIT_HS_TOKEN', 'none', { fromFile: true, secret: true }),
  notYet('LIVEKIT_HS_SERVER_NAME', 'none'),
  notYet('LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS', '0'),
]
