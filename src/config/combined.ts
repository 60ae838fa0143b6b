import type { FullAccess } from '../exchange/access.ts'
import type { Rate } from '../lib/token-buckets.ts'
import type { LiveKitCredentials } from '../livekit/access-token.ts'
import {
  type AddressPolicy,
  NOT_PUBLIC,
  NOT_PUBLIC_NOR_LOCAL,
  OWN_MACHINE,
} from '../net/networks.ts'
import { type BindAddress, DEFAULT_ADDRESS_RATE } from './http-parsers.ts'
import type { SettingsReader } from './reader.ts'
import { secretWarning } from './secret-parsers.ts'
import { expectation, type Setting } from './setting.ts'
import { SETTINGS } from './settings.ts'

/** Where delegations are kept. */
export type StateConfig =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly path: string }
  /** `url` holds the credentials. */
  | { readonly kind: 'redis'; readonly url: string }

const KEY_PAIR_EXAMPLE = `${SETTINGS.apiKey.example}: ${SETTINGS.apiSecret.example}`
const KEY_FILE_CONTENT = `one line "key: secret", such as "${KEY_PAIR_EXAMPLE}"`

function whyNoKeyPair(parts: readonly string[]): string | undefined {
  const [key, secret, ...rest] = parts
  if (secret === undefined) {
    return `has no ":" in it (a key alone belongs into ${SETTINGS.apiKey.name}_FROM_FILE)`
  }
  if (rest.length > 0) return 'has more than one ":" in it, or more than one line'
  if (key === '') return 'has nothing before the ":"'
  return secret === '' ? 'has nothing after the ":"' : undefined
}

function credentialsFromKeyFile(reader: SettingsReader): LiveKitCredentials | undefined {
  const { keyFile, apiKey, apiSecret } = SETTINGS
  const path = reader.read(keyFile)
  if (path === undefined) return undefined
  const overruled = [apiKey, apiSecret].flatMap(reader.variablesSet)
  for (const name of overruled) reader.warn(name, `is ignored, since ${keyFile.name} is set`)

  const text = reader.readFile(keyFile.name, path, `${KEY_FILE_CONTENT},`)
  if (text === undefined) return undefined
  const parts = text.split(':').map((part) => part.trim())
  const wrong = whyNoKeyPair(parts)
  if (wrong !== undefined) {
    reader.problem(keyFile.name, `names a file whose text ${wrong}; expected ${KEY_FILE_CONTENT}`)
    return undefined
  }
  const [key = '', secret = ''] = parts
  const warning = secretWarning(secret)
  if (warning !== undefined) reader.warn(keyFile.name, warning)
  return { apiKey: key, apiSecret: secret }
}

function credentialsFromVariables(reader: SettingsReader): LiveKitCredentials | undefined {
  const apiKey = reader.require(SETTINGS.apiKey)
  const apiSecret = reader.require(SETTINGS.apiSecret)
  if (apiKey === undefined || apiSecret === undefined) return undefined
  return { apiKey, apiSecret }
}

/** The key pair, from the key file or the variables; `undefined` after noting what is wrong. */
export function credentials(reader: SettingsReader): LiveKitCredentials | undefined {
  const hasKeyFile = reader.variablesSet(SETTINGS.keyFile).length > 0
  return hasKeyFile ? credentialsFromKeyFile(reader) : credentialsFromVariables(reader)
}

/** Where the service listens, all interfaces and port 8080 by default. */
export function bindAddress(reader: SettingsReader): BindAddress {
  const { bind, port } = SETTINGS
  const isSet = (setting: Setting<unknown>) => reader.variablesSet(setting).length > 0
  if (isSet(bind) && isSet(port)) {
    reader.problem(port.name, `is set together with ${bind.name}; expected only the latter`)
  }
  if (isSet(port)) reader.warn(port.name, `is deprecated, use ${bind.name}=:port`)
  return reader.read(bind) ?? reader.read(port) ?? { host: undefined, port: 8080 }
}

const ALL_INTERFACES: readonly (string | undefined)[] = [undefined, '::', '0.0.0.0']

function overlap(a: BindAddress, b: BindAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false
  return a.host === b.host || [a.host, b.host].some((host) => ALL_INTERFACES.includes(host))
}

/** Notes a problem if metrics would be served where the service itself listens. */
export function checkMetricsBind(
  reader: SettingsReader,
  {
    bind,
    metricsBind,
  }: { readonly bind: BindAddress; readonly metricsBind?: BindAddress | undefined },
): void {
  if (metricsBind === undefined || !overlap(metricsBind, bind)) return
  const found = `is the address that ${SETTINGS.bind.name} has too`
  reader.problem(
    SETTINGS.metricsBind.name,
    `${found}; ${expectation('another port', SETTINGS.metricsBind)}`,
  )
}

/**
 * The servers whose users have full access. Empty when the setting is wrong: the start fails then, and a
 * warning that everybody has access would only mislead.
 */
export function fullAccess(reader: SettingsReader): FullAccess {
  const setting = SETTINGS.fullAccess
  if (reader.variablesSet(setting).length > 0) return reader.read(setting) ?? new Set()
  reader.warn(setting.name, 'is not set: users of every homeserver may start calls')
  return '*'
}

/** Which addresses discovery may lead to; the default depends on who has full access. */
export function addressPolicy(reader: SettingsReader, access: FullAccess): AddressPolicy {
  const denied = reader.read(SETTINGS.deniedNetworks)
  const allowed = reader.read(SETTINGS.allowedNetworks) ?? []
  // Only "none" gives an empty list, and means it.
  if (denied?.length === 0) return { denied, allowed }
  if (denied !== undefined) return { denied: [...denied, ...OWN_MACHINE], allowed }
  if (access !== '*') return { denied: NOT_PUBLIC, allowed }
  reader.warn(
    SETTINGS.deniedNetworks.name,
    `leaves out private networks while ${SETTINGS.fullAccess.name} is "*": anyone may make the ` +
      'service send requests into them; name your homeservers there to close this',
  )
  return { denied: NOT_PUBLIC_NOR_LOCAL, allowed }
}

/** The limit of an address; `undefined` for no limits at all. */
export function addressRate(reader: SettingsReader): Rate | undefined {
  const setting = SETTINGS.rateLimit
  return reader.variablesSet(setting).length > 0 ? reader.read(setting) : DEFAULT_ADDRESS_RATE
}

/** Whether certificates of homeservers are checked. */
export function verifyTls(reader: SettingsReader): boolean {
  const insecure = reader.read(SETTINGS.insecureSkipVerifyTls) ?? false
  if (insecure) {
    reader.warn(
      SETTINGS.insecureSkipVerifyTls.name,
      'CERTIFICATES OF HOMESERVERS ARE NOT CHECKED: anyone on the network path can pose as any user',
    )
  }
  return !insecure
}

function redisUrlWithPassword(url: URL, password: string | undefined): string {
  const complete = new URL(url)
  if (password !== undefined) complete.password = encodeURIComponent(password)
  return complete.href
}

/** Where delegations are kept: in Redis, in a file, or in memory. */
export function stateConfig(reader: SettingsReader): StateConfig {
  const { redisUrl, redisPassword, stateFile } = SETTINGS
  const url = reader.read(redisUrl)
  const password = reader.read(redisPassword)
  const path = reader.read(stateFile)
  const hasRedis = reader.variablesSet(redisUrl).length > 0
  if (hasRedis && path !== undefined) {
    reader.problem(
      stateFile.name,
      `is set together with ${redisUrl.name}; expected only one of them`,
    )
  }
  if (!hasRedis && password !== undefined) {
    reader.warn(redisPassword.name, `is ignored, since ${redisUrl.name} is not set`)
  }
  if (url !== undefined) return { kind: 'redis', url: redisUrlWithPassword(url, password) }
  return path === undefined ? { kind: 'memory' } : { kind: 'file', path }
}
