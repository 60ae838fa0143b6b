import { isIPv6 } from 'node:net'
import type { Rate } from '../lib/token-buckets.ts'
import type { LogLevel } from '../log.ts'
import { parseServerName } from '../matrix/server-name.ts'
import { type Network, parseNetwork } from '../net/networks.ts'

/**
 * A setting's value, or what is wrong with its text. `found` never repeats the text: nobody knows what
 * has been pasted into the wrong variable.
 */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly warning?: string }
  | { readonly ok: false; readonly found: string; readonly expected: string }

/** Reads a setting's text. */
export type Parser<T> = (text: string) => Parsed<T>

/** Where the service listens. */
export interface BindAddress {
  /** Host name or IP address without brackets; `undefined` for all interfaces. */
  readonly host: string | undefined
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number
}

/** Takes a text, perhaps with a warning. */
export function good<T>(value: T, warning?: string): Parsed<T> {
  return warning === undefined ? { ok: true, value } : { ok: true, value, warning }
}

/** Refuses a text. */
export function bad(
  found: string,
  expected: string,
): { ok: false; found: string; expected: string } {
  return { ok: false, found, expected }
}

/** Takes any text. */
export function anyText(text: string): Parsed<string> {
  return good(text)
}

/** Takes a whole number within bounds, both included. */
export function integer(min: number, max: number): Parser<number> {
  return (text) => {
    const expected = `a whole number from ${min} to ${max}`
    if (!/^\d{1,9}$/.test(text)) return bad('something else', expected)
    const value = Number(text)
    return value >= min && value <= max ? good(value) : bad(String(value), expected)
  }
}

/** Takes `true` or `false`, in the spellings that deployments use. */
export function boolean(text: string): Parsed<boolean> {
  const lower = text.toLowerCase()
  if (['true', '1', 't', 'yes', 'on'].includes(lower)) return good(true)
  if (['false', '0', 'f', 'no', 'off'].includes(lower)) return good(false)
  return bad('something else', '"true" or "false"')
}

/** Takes one of a few words. */
export function oneOf<T extends string>(...words: readonly T[]): Parser<T> {
  return (text) => {
    const word = words.find((candidate) => candidate === text.toLowerCase())
    if (word !== undefined) return good(word)
    return bad('something else', words.map((candidate) => `"${candidate}"`).join(' or '))
  }
}

/** Takes a URL of one of `schemes`, without credentials, query and fragment; it stays as written. */
export function url(...schemes: readonly string[]): Parser<string> {
  const expected = `a URL with ${schemes.join(', ')}, such as ${schemes[0]}://example.com`
  return (text) => {
    const parsed = URL.parse(text)
    if (parsed === null || !schemes.includes(parsed.protocol.slice(0, -1))) {
      return bad('something else', expected)
    }
    // The runtime's parser also takes what others refuse, such as `wss:example.com`.
    if (!/^[a-z]+:\/\/[^\s\\/]+[^\s\\]*$/i.test(text)) return bad('something else', expected)
    if (parsed.username !== '' || parsed.password !== '') return bad('credentials in it', expected)
    if (/[?#]/.test(text)) return bad('a query or fragment in it', expected)
    return good(text)
  }
}

/** The items of a list that is separated by commas, spaces or both. */
export function listItems(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '')
}

/** Says which items of a list are wrong, counted from 1: `no network as item 2, 3`. */
function wrongItems<T>(what: string, parsed: readonly (T | undefined)[]): string | undefined {
  const positions = parsed.flatMap((value, index) => (value === undefined ? [index + 1] : []))
  return positions.length === 0 ? undefined : `${what} as item ${positions.join(', ')}`
}

/** Takes server names, or `*` alone for all. */
export function serverNames(text: string): Parsed<'*' | ReadonlySet<string>> {
  const names = listItems(text)
  if (names.length === 1 && names[0] === '*') return good('*')
  const expected = 'server names separated by commas or spaces, or "*" alone for all'
  if (names.includes('*')) return bad('"*" among other names', expected)
  const wrong = wrongItems('no server name', names.map(parseServerName))
  if (wrong !== undefined) return bad(wrong, expected)
  return names.length === 0 ? bad('no name', expected) : good(new Set(names))
}

/** Takes one server name. */
export function serverName(text: string): Parsed<string> {
  if (parseServerName(text) !== undefined) return good(text)
  return bad('no server name', 'a server name such as example.com, without "https://"')
}

/** Takes networks in CIDR notation or single addresses, or `none`. */
export function networkList(text: string): Parsed<readonly Network[]> {
  if (text.toLowerCase() === 'none') return good([])
  const expected = 'networks such as "10.0.0.0/8,fd00::/8", or "none"'
  const networks = listItems(text).map(parseNetwork)
  const wrong = wrongItems('no network', networks)
  if (wrong !== undefined) return bad(wrong, expected)
  return networks.length === 0
    ? bad('no network', expected)
    : good(networks.filter((network) => network !== undefined))
}

/** An address may do as much as 500 people behind it who start a call at once. */
export const DEFAULT_ADDRESS_RATE: Rate = { perSecond: 50, burst: 1_000 }

/** Takes `on`, `off` or `rate/burst`; `off` gives no rate. */
export function rateLimit(text: string): Parsed<Rate | undefined> {
  if (text.toLowerCase() === 'on') return good(DEFAULT_ADDRESS_RATE)
  if (text.toLowerCase() === 'off') return good(undefined)
  const [, perSecond, burst] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []
  const rate = { perSecond: Number(perSecond ?? 0), burst: Number(burst ?? 0) }
  if (rate.perSecond > 0 && rate.burst > 0) return good(rate)
  return bad('something else', '"on", "off", or requests a second and burst, such as "10/50"')
}

/** Takes `server=url` pairs; a URL's slashes at the end are dropped. */
export function urlOverrides(text: string): Parsed<ReadonlyMap<string, string>> {
  const expected = '"server=url" pairs such as "example.com=http://synapse:8008"'
  const overrides = new Map<string, string>()
  for (const [index, pair] of listItems(text).entries()) {
    const item = `item ${index + 1}`
    const split = pair.indexOf('=')
    const name = pair.slice(0, Math.max(split, 0))
    if (split < 0) return bad(`no "=" in ${item}`, expected)
    if (parseServerName(name) === undefined) return bad(`no server name in ${item}`, expected)
    if (overrides.has(name)) return bad(`the server name of ${item} twice`, expected)
    const base = url('http', 'https')(pair.slice(split + 1))
    if (!base.ok && !/^https?:\/\//i.test(pair.slice(split + 1))) {
      return bad(`a URL without "http://" or "https://" in ${item}`, expected)
    }
    if (!base.ok) return bad(`${base.found} as URL of ${item}`, expected)
    overrides.set(name, base.value.replace(/\/+$/, ''))
  }
  return good(overrides)
}

/** Takes `:port`, `host:port` or `[v6]:port`. */
export function bindAddress(text: string): Parsed<BindAddress> {
  const groups = /^(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<host>[\w.-]*)):(?<port>\d{1,5})$/.exec(
    text,
  )?.groups
  const port = Number(groups?.port)
  const wrongV6 = groups?.v6 !== undefined && !isIPv6(groups.v6)
  if (groups === undefined || port > 65_535 || wrongV6) {
    return bad('something else', '":port", "host:port" or "[v6]:port", such as ":8080"')
  }
  const host = groups.v6 ?? groups.host
  return good({ host: host === '' ? undefined : host, port })
}

/** Takes an address to listen at, or `off`, which gives none. */
export function metricsBind(text: string): Parsed<BindAddress | undefined> {
  return text.toLowerCase() === 'off' ? good(undefined) : bindAddress(text)
}

/** Takes the path of a file: absolute, or relative where it says so. */
export function filePath(example: string): Parser<string> {
  const expected = `a path that begins with "/", "./" or "../", such as ${example}`
  return (text) => {
    if (!/^\.{0,2}\//.test(text) || /[\0\r\n]/.test(text)) return bad('something else', expected)
    return text.endsWith('/') ? bad('a directory', expected) : good(text)
  }
}

/** Takes a port alone. */
export function portAlone(text: string): Parsed<BindAddress> {
  const port = integer(0, 65_535)(text)
  return port.ok ? good({ host: undefined, port: port.value }) : port
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
