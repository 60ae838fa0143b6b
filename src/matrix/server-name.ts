import { isIPv4, isIPv6 } from 'node:net'
import type { Target } from '../net/target-client.ts'

/**
 * Target for a name that is used literally, without discovery.
 *
 * @param defaultPort - used if the name has none
 */
export function targetOf({ text, host, port }: ServerName, defaultPort: number): Target {
  return { host, port: port ?? defaultPort, tlsServerName: host, hostHeader: text }
}

const MAX_BYTES = 255

/** Historical user IDs allow almost anything, but not lone surrogates or NUL. */
function isText(userId: string): boolean {
  return userId.isWellFormed() && !userId.includes('\0')
}

/**
 * Server name of a user ID: what follows the first `:`. `undefined` if it is not a user ID.
 *
 * @see https://spec.matrix.org/latest/appendices/#user-identifiers
 */
export function serverNameOfUser(userId: string): string | undefined {
  if (!userId.startsWith('@') || !isText(userId)) return undefined
  if (Buffer.byteLength(userId) > MAX_BYTES) return undefined
  const colon = userId.indexOf(':')
  if (colon < 0 || colon === userId.length - 1) return undefined
  return userId.slice(colon + 1)
}

/** A parsed Matrix server name. */
export interface ServerName {
  /** The name as given; comparisons use exactly this text. */
  readonly text: string
  readonly kind: 'hostname' | 'ipv4' | 'ipv6'
  /** Hostname in lower case, or the IP address without brackets. */
  readonly host: string
  /** 1 to 65535, if the name has one. */
  readonly port: number | undefined
}

const HOST_AND_PORT =
  /^(?:\[(?<ipv6>[0-9A-Fa-f:.]{2,45})\]|(?<name>[A-Za-z0-9.-]{1,255}))(?::(?<port>[0-9]{1,5}))?$/

function parsePort(digits: string | undefined): number | undefined {
  return digits === undefined ? undefined : Number(digits)
}

function isPort(port: number | undefined): boolean {
  return port === undefined || (port >= 1 && port <= 65_535)
}

/**
 * Parses a server name; `undefined` if it is not one.
 *
 * @see https://spec.matrix.org/latest/appendices/#server-name
 */
export function parseServerName(text: string): ServerName | undefined {
  const groups = HOST_AND_PORT.exec(text)?.groups
  if (groups === undefined) return undefined
  const port = parsePort(groups.port)
  if (!isPort(port)) return undefined

  if (groups.ipv6 !== undefined) {
    return isIPv6(groups.ipv6) ? { text, kind: 'ipv6', host: groups.ipv6, port } : undefined
  }
  const name = groups.name ?? ''
  if (isIPv4(name)) return { text, kind: 'ipv4', host: name, port }
  return isResolvable(name) ? { text, kind: 'hostname', host: name.toLowerCase(), port } : undefined
}

/**
 * Whether a text is a DNS name that can be connected to. Unlike a server name, it may contain
 * underscores, as real SRV targets do, and cannot be an IP address.
 */
export function isDnsName(text: string): boolean {
  return /^[\w.-]{1,254}$/.test(text) && isResolvable(text)
}

/**
 * Whether a name is valid in the DNS, and not something like `127.1` or `0x7f000001`, which some
 * resolvers read as an address.
 *
 * @see https://url.spec.whatwg.org/#ends-in-a-number-checker
 */
function isResolvable(name: string): boolean {
  const labels = name.replace(/\.$/, '').split('.')
  const last = labels.at(-1) ?? ''
  if (/^(?:[0-9]+|0[xX][0-9A-Fa-f]*)$/.test(last)) return false
  return labels.every((label) => label.length >= 1 && label.length <= 63)
}
