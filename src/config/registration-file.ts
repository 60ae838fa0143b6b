import { memberOf, textMember } from '../lib/json.ts'
import type { SettingsReader } from './reader.ts'
import { bearerToken } from './secret-parsers.ts'
import { mayHoldUsersOf } from './user-namespace.ts'

/** The two tokens that a homeserver and an application service know each other by. */
export interface ApplicationServiceTokens {
  readonly asToken: string
  readonly hsToken: string
}

/** What a registration file says, as far as the service needs it. */
export interface Registration extends ApplicationServiceTokens {
  /** Patterns for user IDs. */
  readonly userNamespaces: readonly string[]
}

/** What the homeserver forwards to the service. */
export const PROXY_PREFIX = 'rtc/livekit'
/** Keys of the registration file, the stable one first. */
export const PROXY_PREFIX_KEYS = ['proxy_prefix', 'io.element.msc4512.proxy_prefix'] as const
/** What lets the service ask who is in a room, by the key of the registration file. */
export const MEMBERSHIP_SCOPES = {
  scopes: 'urn:matrix:client:rooms:is_joined',
  'io.element.msc4502.scopes': 'urn:matrix:client:io.element.msc4502:rooms:is_joined',
} as const

const MAX_CHARACTERS = 65_536
const CONTENT = 'a registration file, as "jwt-service registration" prints one,'

function parseYaml(text: string): unknown {
  try {
    return Bun.YAML.parse(text)
  } catch {
    return undefined
  }
}

function listMember(value: unknown, name: string): readonly unknown[] {
  const member = memberOf(value, name)
  return Array.isArray(member) ? member : []
}

/** Notes what is wrong with the file, and where. */
type Report = (text: string) => void

function tokenIn(file: unknown, key: string, problem: Report, warn: Report): string | undefined {
  const token = memberOf(file, key) ?? ''
  if (token === '') {
    problem(`names a file without "${key}"; expected a registration file with it`)
    return undefined
  }
  if (typeof token !== 'string') {
    problem(`names a file whose "${key}" is not text; expected it in quotes`)
    return undefined
  }
  const parsed = bearerToken(token)
  if (!parsed.ok) {
    problem(`names a file whose "${key}" ${parsed.wrong}; expected ${parsed.expected}`)
    return undefined
  }
  if (parsed.warning !== undefined) warn(`names a file whose "${key}" ${parsed.warning}`)
  return parsed.value
}

function userNamespacesIn(file: unknown): readonly string[] {
  const users = listMember(memberOf(file, 'namespaces'), 'users')
  return users.flatMap((entry) => textMember(entry, 'regex') ?? [])
}

function checkProxyPrefix(file: unknown, problem: Report, warn: Report): void {
  const prefixes = PROXY_PREFIX_KEYS.map((key) => [key, memberOf(file, key) ?? undefined] as const)
  if (prefixes.every(([, prefix]) => prefix === undefined)) {
    warn('names a file without "proxy_prefix": the homeserver forwards no requests to this service')
  }
  for (const [key, prefix] of prefixes) {
    if (prefix === undefined) continue
    if (typeof prefix === 'string' && prefix.replace(/\/+$/, '') === PROXY_PREFIX) continue
    problem(`names a file with another "${key}"; expected "${PROXY_PREFIX}", or nothing gets here`)
  }
}

function checkPrivileges(file: unknown, warn: Report): void {
  if (memberOf(file, 'rate_limited') !== false) {
    warn(
      'names a file without "rate_limited: false": the homeserver limits how often delayed leave ' +
        'events of a user are restarted',
    )
  }
  const scopes = Object.entries(MEMBERSHIP_SCOPES)
  if (scopes.some(([key, scope]) => listMember(file, key).includes(scope))) return
  const wanted = scopes.map(([key, scope]) => `"${scope}" in "${key}"`).join(' or ')
  warn(`names a file without ${wanted}: the homeserver does not say who is in a room`)
}

/**
 * Reads a registration file; what is wrong with it is noted.
 *
 * @param variable - the one that names the file
 * @see https://spec.matrix.org/latest/application-service-api/#registration
 */
export function readRegistration(
  reader: SettingsReader,
  variable: string,
  path: string,
): Registration | undefined {
  const problem = (text: string) => reader.problem(variable, text)
  const warn = (text: string) => reader.warn(variable, text)

  const text = reader.readFile(variable, path, CONTENT)
  if (text === undefined) return undefined
  if (text.length > MAX_CHARACTERS) {
    problem(`names a file of more than ${MAX_CHARACTERS} characters; expected a registration file`)
    return undefined
  }
  const file = parseYaml(text)
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    problem('names a file that is not YAML with one key per line; expected a registration file')
    return undefined
  }
  checkProxyPrefix(file, problem, warn)
  checkPrivileges(file, warn)
  const asToken = tokenIn(file, 'as_token', problem, warn)
  const hsToken = tokenIn(file, 'hs_token', problem, warn)
  if (asToken === undefined || hsToken === undefined) return undefined
  if (asToken === hsToken) {
    problem('names a file whose "as_token" is its "hs_token" too; expected two different tokens')
  }
  return { asToken, hsToken, userNamespaces: userNamespacesIn(file) }
}

/** Whether a registration may give the service any users of a server; in doubt it may. */
export function mayCoverUsersOf(serverName: string, { userNamespaces }: Registration): boolean {
  return userNamespaces.some((pattern) => mayHoldUsersOf(serverName, pattern))
}
