import { isIPv6 } from 'node:net'
import { parseServerName } from '../matrix/server-name.ts'
import { type Network, parseNetwork } from '../net/networks.ts'
import { bad, good, isQuoted, type Parsed, strayCharacters } from './parsers.ts'

/** The items of a list that is separated by commas, spaces or both. */
export function listItems(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '')
}

/** Says which items of a list are wrong and why, counted from 1. */
function itemMistakes(
  items: readonly string[],
  mistakeOf: (item: string) => string | undefined,
): string | undefined {
  const mistakes = items.flatMap((item, index) => {
    const wrong = mistakeOf(item)
    return wrong === undefined ? [] : [`item ${index + 1} ${wrong}`]
  })
  return mistakes.length === 0 ? undefined : mistakes.join(', and ')
}

function whyNoServerName(text: string): string {
  if (text.includes('://')) return 'is a URL'
  if (text.startsWith('@')) return 'is a user ID'
  if (text.includes('*')) return 'contains "*"'
  if (isIPv6(text)) return 'is an IPv6 address without brackets'
  if (/[^A-Za-z0-9.:[\]-]/.test(text)) {
    return 'contains a character other than letters, digits, ".", "-" and ":"'
  }
  const [, host = '', port] = /^(.+):(\d+)$/.exec(text) ?? []
  const isPortWrong = port !== undefined && parseServerName(host) !== undefined
  return isPortWrong ? 'has a port that is not from 1 to 65535' : 'is not a server name'
}

/** Why a text is not a server name; `undefined` if it is one. */
export function serverNameMistake(text: string): string | undefined {
  if (parseServerName(text) !== undefined) return undefined
  return strayCharacters(text) ?? whyNoServerName(text)
}

/** Takes one server name. */
export function serverName(text: string): Parsed<string> {
  const wrong = serverNameMistake(text)
  return wrong === undefined ? good(text) : bad(wrong, 'a server name, as in user IDs')
}

/** Takes server names, or `*` alone for all. */
export function serverNames(text: string): Parsed<'*' | ReadonlySet<string>> {
  const names = listItems(text)
  if (names.length === 1 && names[0] === '*') return good('*')
  const expected = '"*" alone for all, or server names separated by commas or spaces'
  if (isQuoted(text)) return bad('is in quotes', expected)
  if (names.includes('*')) return bad('has "*" beside other names', expected)
  if (names.length === 0) return bad('has no name in it', expected)
  const wrong = itemMistakes(names, serverNameMistake)
  return wrong === undefined ? good(new Set(names)) : bad(wrong, expected)
}

function networkMistake(text: string): string | undefined {
  if (parseNetwork(text) !== undefined) return undefined
  if (text.toLowerCase() === 'none') return 'is "none" beside others'
  const [address = '', bits] = text.split('/')
  if (bits !== undefined && parseNetwork(address) !== undefined) {
    return `has no prefix length from 0 to ${address.includes(':') ? 128 : 32} after its "/"`
  }
  return /^[\d.]+$/.test(address)
    ? 'is not an IPv4 address with all its four parts'
    : 'is neither an IP address nor a network'
}

/** Takes networks in CIDR notation or single addresses, or `none`. */
export function networkList(text: string): Parsed<readonly Network[]> {
  if (text.toLowerCase() === 'none') return good([])
  const expected = '"none", or IP addresses and networks separated by commas or spaces'
  if (isQuoted(text)) return bad('is in quotes', expected)
  const items = listItems(text)
  if (items.length === 0) return bad('has no network in it', expected)
  const wrong = itemMistakes(items, networkMistake)
  if (wrong !== undefined) return bad(wrong, expected)
  return good(items.map(parseNetwork).filter((network) => network !== undefined))
}
