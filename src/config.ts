import { type ApplicationServiceConfig, applicationService } from './config/application-service.ts'
import {
  addressPolicy,
  addressRate,
  bindAddress,
  checkMetricsBind,
  credentials,
  fullAccess,
  type StateConfig,
  stateConfig,
  verifyTls,
} from './config/combined.ts'
import type { BindAddress } from './config/http-parsers.ts'
import {
  createSettingsReader,
  type Environment,
  type ReadFile,
  type SettingNote,
} from './config/reader.ts'
import { checkRuntime, usesHttpsProxy } from './config/runtime.ts'
import { SETTINGS } from './config/settings.ts'
import { unknownVariableWarnings } from './config/unknown-variables.ts'
import type { FullAccess } from './exchange/access.ts'
import type { Rate } from './lib/token-buckets.ts'
import type { LiveKitCredentials } from './livekit/access-token.ts'
import type { LogLevel } from './log.ts'
import { type AddressPolicy, LOCAL, type Network } from './net/networks.ts'

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
  /** Where metrics are served; `undefined` for nowhere. */
  readonly metricsBind: BindAddress | undefined
  readonly swagger: boolean
  /** Requests of one address; `undefined` for no limits of any kind. */
  readonly addressRate: Rate | undefined
  /** Networks whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly Network[]
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
  /** `undefined` unless the service is an application service of a homeserver. */
  readonly applicationService: ApplicationServiceConfig | undefined
}

/** How the service logs. */
export interface LogConfig {
  readonly level: LogLevel
  /** `undefined` to go by whether the output is a terminal. */
  readonly format: 'pretty' | 'json' | undefined
  /** Whether the environment asks for no colours. */
  readonly isColourless: boolean
}

/** The outcome of reading the environment. */
export interface LoadedConfig {
  /** `undefined` when there are problems. */
  readonly config: Config | undefined
  readonly log: LogConfig
  /** The mistakes that stop the start. */
  readonly problems: readonly SettingNote[]
  readonly warnings: readonly SettingNote[]
}

/** Where the service listens, by the environment alone, or what is wrong with that. */
export function loadBindAddress(env: Environment): BindAddress | readonly SettingNote[] {
  const reader = createSettingsReader(env, () => '')
  const bind = bindAddress(reader)
  return reader.problems.length === 0 ? bind : reader.problems
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
    isColourless: (env.NO_COLOR ?? '') !== '',
  }
  const liveKitUrl = reader.require(SETTINGS.liveKitUrl) ?? ''
  const internalUrl = reader.read(SETTINGS.liveKitInternalUrl)
  const keyPair = credentials(reader)
  const access = fullAccess(reader)
  const config = {
    liveKitUrl,
    liveKitInternalUrl: internalUrl ?? liveKitUrl,
    credentials: keyPair ?? { apiKey: '', apiSecret: '' },
    tokenTtlSeconds: reader.read(SETTINGS.tokenTtlSeconds) ?? 3600,
    canUpdateOwnMetadata: reader.read(SETTINGS.canUpdateOwnMetadata) ?? false,
    restrictedCanPublish: reader.read(SETTINGS.restrictedCanPublish) ?? true,
    fullAccess: access,
    bind: bindAddress(reader),
    addressRate: addressRate(reader),
    trustedProxies: reader.read(SETTINGS.trustedProxies) ?? LOCAL,
    metricsBind: reader.read(SETTINGS.metricsBind),
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
    applicationService: applicationService(reader),
  }
  checkMetricsBind(reader, config)
  checkRuntime(reader, env, readFile)
  return {
    config: reader.problems.length === 0 ? config : undefined,
    log,
    problems: reader.problems,
    warnings: [...reader.warnings, ...unknownVariableWarnings(env)],
  }
}
