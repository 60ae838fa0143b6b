import { readCredentials } from './config/credentials.ts'
import type { BindAddress } from './config/parsers.ts'
import { createSettingsReader, type Environment, type ReadFile } from './config/reader.ts'
import { checkRuntime, usesHttpsProxy } from './config/runtime.ts'
import type { Setting } from './config/setting.ts'
import { SETTINGS } from './config/settings.ts'
import { UNAVAILABLE_SETTINGS } from './config/unavailable-settings.ts'
import { unknownVariableWarnings } from './config/unknown-variables.ts'
import type { FullAccess } from './exchange/access.ts'
import type { LiveKitCredentials } from './livekit/access-token.ts'
import type { LogLevel } from './log.ts'
import {
  type AddressPolicy,
  NOT_PUBLIC,
  NOT_PUBLIC_NOR_LOCAL,
  OWN_MACHINE,
} from './net/networks.ts'

/** What the operator has chosen. */
export interface Config {
  /** Handed out to clients unchanged. */
  readonly liveKitUrl: string
  /** Where the service reaches the SFU. */
  readonly liveKitInternalUrl: string
  readonly credentials: LiveKitCredentials
  readonly tokenTtlSeconds: number
  readonly canUpdateOwnMetadata: boolean
  readonly restrictedCanPublish: boolean
  readonly fullAccess: FullAccess
  readonly bind: BindAddress
  readonly swagger: boolean
  /** How long requests are still taken after the signal to stop. */
  readonly shutdownDelayMs: number
  /** How long requests may then take to finish. */
  readonly shutdownGraceMs: number
  /** Base URL by server name. */
  readonly federationOverrides: ReadonlyMap<string, string>
  /** Where discovery may lead to. */
  readonly addressPolicy: AddressPolicy
  /** Whether certificates of homeservers are checked. */
  readonly verifyTls: boolean
  /** Whether the environment names a proxy for HTTPS. */
  readonly usesHttpsProxy: boolean
  /** Base URL of the client API by server name. */
  readonly clientApiOverrides: ReadonlyMap<string, string>
  readonly state: StateConfig
  readonly maxDelegationsPerUser: number
  /** 0 for no more often than delayed events are restarted. */
  readonly sanityCheckMs: number
}

/** Where delegations are kept. */
export type StateConfig =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly path: string }
  /** `url` holds the credentials. */
  | { readonly kind: 'redis'; readonly url: string }

/** How the service logs. */
export interface LogConfig {
  readonly level: LogLevel
  /** `undefined` to go by whether the output is a terminal. */
  readonly format: 'pretty' | 'json' | undefined
}

/** The outcome of reading the environment. */
export interface LoadedConfig {
  /** `undefined` when there are problems. */
  readonly config: Config | undefined
  readonly log: LogConfig
  /** One line for each mistake that stops the start. */
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

type Reader = ReturnType<typeof createSettingsReader>

function bindAddress(reader: Reader): BindAddress {
  const { bind, port } = SETTINGS
  const isSet = (setting: Setting<unknown>) => reader.variablesSet(setting).length > 0
  if (isSet(bind) && isSet(port)) {
    reader.problem(port.name, `is set together with ${bind.name}; expected only the latter`)
  }
  if (isSet(port)) reader.warn(port.name, `is deprecated, use ${bind.name}=:port`)
  return reader.read(bind) ?? reader.read(port) ?? { host: undefined, port: 8080 }
}

/** Nobody's where the setting is wrong: nothing is to be said of what does not hold. */
function fullAccess(reader: Reader): FullAccess {
  const setting = SETTINGS.fullAccess
  if (reader.variablesSet(setting).length > 0) return reader.read(setting) ?? new Set()
  reader.warn(setting.name, 'is not set: users of every homeserver may start calls')
  return '*'
}

function addressPolicy(reader: Reader, access: FullAccess): AddressPolicy {
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

function verifyTls(reader: Reader): boolean {
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

function stateConfig(reader: Reader): StateConfig {
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

/** Where the service listens, by the environment alone; `undefined` when that is wrong. */
export function loadBindAddress(env: Environment): BindAddress | undefined {
  const reader = createSettingsReader(env, () => '')
  const bind = bindAddress(reader)
  return reader.problems.length === 0 ? bind : undefined
}

/**
 * Reads the configuration; every mistake in it is reported, not only the first.
 *
 * @param readFile - reads the files that variables name
 */
export function loadConfig(env: Environment, readFile: ReadFile): LoadedConfig {
  const reader = createSettingsReader(env, readFile)
  const log = {
    level: reader.read(SETTINGS.logLevel) ?? 'info',
    format: reader.read(SETTINGS.logFormat),
  }
  const liveKitUrl = reader.require(SETTINGS.liveKitUrl) ?? ''
  const internalUrl = reader.read(SETTINGS.liveKitInternalUrl)
  const credentials = readCredentials(reader)
  const access = fullAccess(reader)
  const config = {
    liveKitUrl,
    liveKitInternalUrl: internalUrl ?? liveKitUrl,
    credentials: credentials ?? { apiKey: '', apiSecret: '' },
    tokenTtlSeconds: reader.read(SETTINGS.tokenTtlSeconds) ?? 3600,
    canUpdateOwnMetadata: reader.read(SETTINGS.canUpdateOwnMetadata) ?? false,
    restrictedCanPublish: reader.read(SETTINGS.restrictedCanPublish) ?? true,
    fullAccess: access,
    bind: bindAddress(reader),
    swagger: reader.read(SETTINGS.swagger) !== 'off',
    shutdownDelayMs: (reader.read(SETTINGS.shutdownDelaySeconds) ?? 0) * 1000,
    shutdownGraceMs: (reader.read(SETTINGS.shutdownGraceSeconds) ?? 10) * 1000,
    federationOverrides: reader.read(SETTINGS.federationOverrides) ?? new Map(),
    addressPolicy: addressPolicy(reader, access),
    verifyTls: verifyTls(reader),
    usesHttpsProxy: usesHttpsProxy(env),
    clientApiOverrides: reader.read(SETTINGS.clientApiOverrides) ?? new Map(),
    state: stateConfig(reader),
    maxDelegationsPerUser: reader.read(SETTINGS.maxDelegationsPerUser) ?? 100,
    sanityCheckMs: (reader.read(SETTINGS.sanityCheckSeconds) ?? 0) * 1000,
  }
  for (const unavailable of UNAVAILABLE_SETTINGS) reader.read(unavailable)
  checkRuntime(reader, env, readFile)
  return {
    config: reader.problems.length === 0 ? config : undefined,
    log,
    problems: reader.problems,
    warnings: [...reader.warnings, ...unknownVariableWarnings(env)],
  }
}
