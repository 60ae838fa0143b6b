import { isIPv6 } from 'node:net'
import type { Rate } from '../lib/token-buckets.ts'
import { bad, good, integer, type Parsed, strayCharacters } from './parsers.ts'
import { portMistake } from './url-parsers.ts'

/** Where the service listens. */
export interface BindAddress {
  /** Host name or IP address without brackets; `undefined` for all interfaces. */
  readonly host: string | undefined
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number
}

function whyNoAddress(text: string): string {
  const stray = strayCharacters(text)
  if (stray !== undefined) return stray
  if (text.includes('://')) return 'is a URL'
  if (text.includes('/')) return 'contains "/"'
  if (/^\d+$/.test(text)) return 'has no ":" before the port'
  if (isIPv6(text) || /^[^[]*:.*:/.test(text)) return 'has an IPv6 address without brackets'
  if (!/:[^\]]+$/.test(text)) return 'has no port'
  const isBracketed = text.startsWith('[')
  const wrongHost = isBracketed
    ? 'has no IPv6 address in its brackets'
    : 'has a host that is not valid'
  return portMistake(text) ?? wrongHost
}

const BIND_FORMS = '":port", "host:port" or "[v6]:port"'

/** Takes `:port`, `host:port` or `[v6]:port`. */
export function bindAddress(text: string): Parsed<BindAddress> {
  const groups = /^(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<host>[\w.-]*)):(?<port>\d{1,5})$/.exec(
    text,
  )?.groups
  const port = Number(groups?.port)
  const wrongV6 = groups?.v6 !== undefined && !isIPv6(groups.v6)
  if (groups === undefined || port > 65_535 || wrongV6) {
    return bad(whyNoAddress(text), BIND_FORMS)
  }
  const host = groups.v6 ?? groups.host
  return good({ host: host === '' ? undefined : host, port })
}

/** Takes an address to listen at, or `off`, which gives none. */
export function metricsBind(text: string): Parsed<BindAddress | undefined> {
  if (text.toLowerCase() === 'off') return good(undefined)
  const address = bindAddress(text)
  return address.ok ? address : bad(address.wrong, `"off", ${BIND_FORMS}`)
}

/** Takes a port alone. */
export function portAlone(text: string): Parsed<BindAddress> {
  const port = integer(0, 65_535)(text)
  return port.ok ? good({ host: undefined, port: port.value }) : port
}

/** An address may do as much as 500 people behind it who start a call at once. */
export const DEFAULT_ADDRESS_RATE: Rate = { perSecond: 50, burst: 1_000 }

const MAX_RATE = 999_999

function whyNoRate(text: string): string {
  const stray = strayCharacters(text)
  if (stray !== undefined) return stray
  if (/^\d+$/.test(text)) return 'has no burst'
  const numbers = /^(\d+)\/(\d+)$/.exec(text)?.slice(1).map(Number)
  if (numbers === undefined) return 'is not two whole numbers with "/" between them'
  return numbers.includes(0) ? 'has a number that is 0' : `has a number above ${MAX_RATE}`
}

/** Takes `on`, `off` or `rate/burst`; `off` gives no rate. */
export function rateLimit(text: string): Parsed<Rate | undefined> {
  if (text.toLowerCase() === 'on') return good(DEFAULT_ADDRESS_RATE)
  if (text.toLowerCase() === 'off') return good(undefined)
  const [, perSecond, burst] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  const rate = { perSecond: Number(perSecond ?? 0), burst: Number(burst ?? 0) }
  const isWithin = [rate.perSecond, rate.burst].every((each) => each > 0 && each <= MAX_RATE)
  if (isWithin) return good(rate)
  return bad(whyNoRate(text), '"on", "off", or requests a second and burst')
}
