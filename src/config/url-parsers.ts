import { listItems, serverNameMistake } from './name-parsers.ts'
import { bad, good, isQuoted, type Parsed, type Parser, strayCharacters } from './parsers.ts'

/** A URL as it is written, before any parser mends it. */
export interface WrittenUrl {
  /** In lower case. */
  readonly scheme: string
  /** Between `//` and the path. */
  readonly authority: string
}

/** The parts of a URL; `undefined` if the text does not begin like one. */
export function writtenUrl(text: string): WrittenUrl | undefined {
  const [, scheme, authority] = /^([a-z][a-z\d+.-]*):\/\/([^/?#\\]*)/i.exec(text) ?? []
  if (scheme === undefined || authority === undefined) return undefined
  return { scheme: scheme.toLowerCase(), authority }
}

/** What is wrong with the port of `host:port`; `undefined` if nothing is, or there is none. */
export function portMistake(authority: string): string | undefined {
  const port = /:([^:\]]*)$/.exec(authority)?.[1] ?? ''
  if (port === '') return undefined
  if (!/^\d+$/.test(port)) return 'has a port that is not a number'
  return Number(port) > 65_535 ? 'has a port above 65535' : undefined
}

function whyNoScheme(text: string): string {
  return /^(?:https?|wss?):/i.test(text) ? 'has no "//" after its scheme' : 'has no scheme'
}

function urlMistake(text: string, schemes: readonly string[]): string | undefined {
  const stray = strayCharacters(text)
  if (stray !== undefined) return stray
  const written = writtenUrl(text)
  if (written === undefined) return whyNoScheme(text)
  const { scheme, authority } = written
  if (!schemes.includes(scheme)) return 'has another scheme'
  if (text.includes('\\')) return 'contains a backslash'
  if (authority.includes('@')) return 'has a user name or password in it'
  if (/[?#]/.test(text)) return 'has a query or fragment, after "?" or "#"'
  if (/^(?::|$)/.test(authority)) return 'has no host'
  return portMistake(authority) ?? (URL.canParse(text) ? undefined : 'has a host that is not valid')
}

/** Takes a URL of one of `schemes`, without credentials, query and fragment; it stays as written. */
export function url(...schemes: readonly string[]): Parser<string> {
  const beginnings = schemes.map((scheme) => `"${scheme}://"`)
  const alternatives = `${beginnings.slice(0, -1).join(', ')} or ${beginnings.at(-1)}`
  return (text) => {
    const wrong = urlMistake(text, schemes)
    return wrong === undefined ? good(text) : bad(wrong, `a URL that begins with ${alternatives}`)
  }
}

const baseUrl = url('http', 'https')

function pairMistake(name: string, base: string): string | undefined {
  if (name === '') return 'has no server name before its "="'
  const wrongName = serverNameMistake(name)
  if (wrongName !== undefined) return `has a server name that ${wrongName}`
  if (base === '') return 'has no URL after its "="'
  const parsed = baseUrl(base)
  return parsed.ok ? undefined : `has a URL that ${parsed.wrong}`
}

/** Takes `server=url` pairs; a URL's slashes at the end are dropped. */
export function urlOverrides(text: string): Parsed<ReadonlyMap<string, string>> {
  const expected = 'pairs "server=url", separated by commas or spaces, with "http://" or "https://"'
  if (isQuoted(text)) return bad('is in quotes', expected)
  const overrides = new Map<string, string>()
  for (const [index, pair] of listItems(text).entries()) {
    const item = `item ${index + 1}`
    const split = pair.indexOf('=')
    if (split < 0) return bad(`${item} has no "="`, expected)
    const name = pair.slice(0, split)
    const base = pair.slice(split + 1)
    const wrong = pairMistake(name, base)
    if (wrong !== undefined) return bad(`${item} ${wrong}`, expected)
    if (overrides.has(name)) return bad(`${item} names the same server as one before`, expected)
    overrides.set(name, base.replace(/\/+$/, ''))
  }
  return good(overrides)
}
