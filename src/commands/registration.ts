import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { serverName } from '../config/name-parsers.ts'
import { bad, type Parsed } from '../config/parsers.ts'
import type { Environment } from '../config/reader.ts'
import { SETTINGS } from '../config/settings.ts'
import { url } from '../config/url-parsers.ts'
import { registrationGuide, registrationText } from './registration-text.ts'

const TOKEN_BYTES = 32

const OPTIONS = {
  url: { type: 'string' },
  'server-name': { type: 'string' },
} as const

type Name = keyof typeof OPTIONS

/** What each argument is, for people. */
const MEANINGS: Readonly<Record<Name, string>> = {
  url: 'where the homeserver reaches this service',
  'server-name': 'the server name of the homeserver',
}

const EXAMPLES: Readonly<Record<Name, string>> = {
  url: 'http://jwt-service:8080',
  'server-name': 'example.com',
}

function expectation(expected: string, name: Name): string {
  return `expected ${expected}, such as "${EXAMPLES[name]}"`
}

/** A mistake in the arguments, in one line. */
class WrongArgument extends Error {
  readonly code = 'WRONG_ARGUMENT'
}

function isName(name: string): name is Name {
  return Object.hasOwn(OPTIONS, name)
}

/** The texts of the arguments, `--name text` or `--name=text`. */
function readArguments(args: readonly string[]): ReadonlyMap<Name, string> {
  const { tokens } = parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true })
  const texts = new Map<Name, string>()
  for (const token of tokens) {
    if (token.kind !== 'option' || !isName(token.name)) {
      const shown = JSON.stringify(args[token.index])
      throw new WrongArgument(`${shown}: is not known; expected --url and --server-name`)
    }
    const { name, value = '', inlineValue } = token
    // The next argument is no value.
    if (value === '' || (inlineValue !== true && value.startsWith('--'))) {
      throw new WrongArgument(`--${name}: has no value; ${expectation(MEANINGS[name], name)}`)
    }
    if (texts.has(name)) throw new WrongArgument(`--${name}: is given twice; expected it once`)
    texts.set(name, value)
  }
  return texts
}

/** Takes what can be in a file of plain text and in a header. */
function baseUrl(text: string): Parsed<string> {
  const parsed = url('http', 'https')(text)
  if (!parsed.ok || /^[\x21-\x7e]+$/.test(text)) return parsed
  return bad('contains a character beyond ASCII', 'a URL of ASCII characters')
}

function argument(
  texts: ReadonlyMap<Name, string>,
  name: Name,
  parse: (text: string) => Parsed<string>,
): string {
  const text = texts.get(name)
  if (text === undefined) {
    throw new WrongArgument(`--${name}: is missing; ${expectation(MEANINGS[name], name)}`)
  }
  const parsed = parse(text)
  if (parsed.ok) return parsed.value
  throw new WrongArgument(`--${name}: ${parsed.wrong}; ${expectation(parsed.expected, name)}`)
}

function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url')
}

/** The URL of the SFU, if it is set and right. */
function liveKitUrlIn(env: Environment): string | undefined {
  const parsed = SETTINGS.liveKitUrl.parse(env[SETTINGS.liveKitUrl.name] ?? '')
  return parsed.ok ? parsed.value : undefined
}

/** Where a command writes. */
export interface CommandOutput {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/**
 * The `registration` command: writes a registration file with new tokens, and beside it what to do with
 * that file. Nothing is stored.
 *
 * @param args - what follows the command: `--url` and `--server-name`
 * @returns the exit code: 2 for wrong arguments
 */
export function registration(
  args: readonly string[],
  env: Environment,
  { out, err }: CommandOutput,
): number {
  try {
    const texts = readArguments(args)
    const base = argument(texts, 'url', baseUrl).replace(/\/+$/, '')
    const homeserver = argument(texts, 'server-name', serverName)
    const tokens = { asToken: newToken(), hsToken: newToken() }
    out(registrationText({ url: base, serverName: homeserver, ...tokens }))
    err(registrationGuide(homeserver, liveKitUrlIn(env)))
    return 0
  } catch (error) {
    if (!(error instanceof WrongArgument)) throw error
    err(`${error.message}\n`)
    return 2
  }
}
