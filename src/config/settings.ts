import {
  anyText,
  bindAddress,
  boolean,
  filePath,
  INSECURE_CONFIRMATION,
  insecureSwitch,
  integer,
  logLevel,
  networkList,
  oneOf,
  type Parsed,
  portAlone,
  redisUrl,
  serverNames,
  signingSecret,
  url,
  urlOverrides,
} from './parsers.ts'
import { type Setting, setting } from './reader.ts'

/** The settings of the service, by what they are called in the code. */
export const SETTINGS = {
  liveKitUrl: setting({
    name: 'LIVEKIT_URL',
    defaultText: 'required',
    meaning: "the SFU's WebSocket URL as clients reach it; handed out unchanged",
    parse: url('wss', 'ws', 'https', 'http'),
  }),
  liveKitInternalUrl: setting({
    name: 'LIVEKIT_INTERNAL_URL',
    defaultText: 'LIVEKIT_URL',
    meaning: "where the service itself reaches the SFU's API, when that differs",
    parse: url('wss', 'ws', 'https', 'http'),
  }),
  apiKey: setting({
    name: 'LIVEKIT_KEY',
    aliases: ['LIVEKIT_API_KEY'],
    fromFile: true,
    secret: true,
    defaultText: 'required',
    meaning: 'API key of the SFU',
    parse: anyText,
  }),
  apiSecret: setting({
    name: 'LIVEKIT_SECRET',
    aliases: ['LIVEKIT_API_SECRET'],
    fromFile: true,
    secret: true,
    defaultText: 'required',
    meaning: 'API secret of the SFU',
    parse: signingSecret,
  }),
  keyFile: setting({
    name: 'LIVEKIT_KEY_FILE',
    mistakenNames: ['LIVEKIT_SECRET_FILE', 'LIVEKIT_API_KEY_FILE', 'LIVEKIT_API_SECRET_FILE'],
    defaultText: 'none',
    meaning: 'a file that holds "key: secret"; wins over the two above',
    parse: anyText,
  }),
  tokenTtlSeconds: setting({
    name: 'LIVEKIT_TOKEN_TTL_SECONDS',
    defaultText: '3600',
    meaning: 'lifetime of the tokens handed out, 60 to 86400',
    parse: integer(60, 86_400),
  }),
  canUpdateOwnMetadata: setting({
    name: 'LIVEKIT_CAN_UPDATE_OWN_METADATA',
    defaultText: 'false',
    meaning: 'may participants change their own metadata',
    parse: boolean,
  }),
  restrictedCanPublish: setting({
    name: 'LIVEKIT_RESTRICTED_CAN_PUBLISH',
    defaultText: 'true',
    meaning: 'may restricted users publish',
    parse: boolean,
  }),
  fullAccess: setting({
    name: 'LIVEKIT_FULL_ACCESS_HOMESERVERS',
    aliases: ['LIVEKIT_LOCAL_HOMESERVERS'],
    aliasesDeprecated: true,
    defaultText: '* (with a warning)',
    meaning: 'server names whose users may start calls, separated by commas or spaces; "*" for all',
    parse: serverNames,
  }),
  bind: setting({
    name: 'LIVEKIT_JWT_BIND',
    defaultText: ':8080',
    meaning: 'where to listen: ":port" (all interfaces), "host:port" or "[v6]:port"',
    parse: bindAddress,
  }),
  port: setting({
    name: 'LIVEKIT_JWT_PORT',
    replacedBy: 'LIVEKIT_JWT_BIND',
    defaultText: 'none',
    meaning: 'deprecated, use LIVEKIT_JWT_BIND: the port alone',
    parse: portAlone,
  }),
  swagger: setting({
    name: 'LIVEKIT_SWAGGER',
    defaultText: 'on',
    meaning: 'the API pages at /swagger, "on" or "off"',
    parse: oneOf('on', 'off'),
  }),
  logLevel: setting({
    name: 'LIVEKIT_LOG_LEVEL',
    defaultText: 'info',
    meaning: '"debug", "info", "warn" or "error"',
    parse: logLevel,
  }),
  logFormat: setting({
    name: 'LIVEKIT_LOG_FORMAT',
    defaultText: '"pretty" on a terminal, else "json"',
    meaning: '"pretty" or "json"',
    parse: oneOf('pretty', 'json'),
  }),
  shutdownDelaySeconds: setting({
    name: 'LIVEKIT_SHUTDOWN_DELAY_SECONDS',
    defaultText: '0',
    meaning:
      'how long requests are still taken after SIGTERM, so that load balancers can look elsewhere first',
    parse: integer(0, 3_600),
  }),
  shutdownGraceSeconds: setting({
    name: 'LIVEKIT_SHUTDOWN_GRACE_SECONDS',
    defaultText: '10',
    meaning: 'how long requests in flight may finish after SIGTERM',
    parse: integer(0, 3_600),
  }),
  federationOverrides: setting({
    name: 'LIVEKIT_FEDERATION_URL_OVERRIDES',
    defaultText: 'none',
    meaning: '"server=url,…": where to verify OpenID tokens of a server, instead of discovery',
    parse: urlOverrides,
  }),
  deniedNetworks: setting({
    name: 'LIVEKIT_FEDERATION_DENY_NETWORKS',
    defaultText:
      'every range that is not publicly routable, but no private one while everyone has full access',
    meaning:
      'networks that discovery may not lead to, beside loopback and link-local; "none" for none at all',
    parse: networkList,
  }),
  allowedNetworks: setting({
    name: 'LIVEKIT_FEDERATION_ALLOW_NETWORKS',
    defaultText: 'none',
    meaning: 'exceptions to the above',
    parse: networkList,
  }),
  insecureSkipVerifyTls: setting({
    name: 'LIVEKIT_INSECURE_SKIP_VERIFY_TLS',
    defaultText: 'certificates are checked',
    meaning: `only "${INSECURE_CONFIRMATION}" turns certificate checks of homeservers off`,
    parse: insecureSwitch,
  }),
  clientApiOverrides: setting({
    name: 'LIVEKIT_CS_API_URL_OVERRIDES',
    defaultText: 'none',
    meaning: '"server=url,…": client API of a server, instead of /.well-known/matrix/client',
    parse: urlOverrides,
  }),
  redisUrl: setting({
    name: 'LIVEKIT_REDIS_URL',
    fromFile: true,
    secret: true,
    defaultText: 'none',
    meaning: 'keeps delegations in Redis or Valkey ("redis://", "rediss://"), for several replicas',
    parse: redisUrl,
  }),
  redisPassword: setting({
    name: 'LIVEKIT_REDIS_PASSWORD',
    fromFile: true,
    secret: true,
    defaultText: 'that in LIVEKIT_REDIS_URL',
    meaning: 'password for Redis',
    parse: anyText,
  }),
  stateFile: setting({
    name: 'LIVEKIT_STATE_FILE',
    defaultText: 'in memory',
    meaning: 'keeps delegations in an SQLite file, so that they outlive a restart',
    parse: filePath,
  }),
  maxDelegationsPerUser: setting({
    name: 'LIVEKIT_MAX_DELEGATIONS_PER_USER',
    defaultText: '100',
    meaning: 'how many delegations a user may have at a time, 1 to 1000000',
    parse: integer(1, 1_000_000),
  }),
  sanityCheckSeconds: setting({
    name: 'LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS',
    defaultText: '0 (no more often than delayed events are restarted)',
    meaning: 'how often the presence of a connected participant is checked with the SFU',
    parse: integer(0, 86_400),
  }),
}

function notYet(name: string, inert: string, more: Partial<Setting<string>> = {}) {
  const meaning = 'not available in this version'
  const found = 'a value that this version cannot honour'
  const bad = { ok: false, found, expected: `it not to be set, which means "${inert}"` } as const
  const parse = (text: string): Parsed<string> =>
    text.toLowerCase() === inert ? { ok: true, value: inert } : bad
  return setting({ name, defaultText: inert, meaning, parse, ...more })
}

/**
 * Settings that exist but cannot be honoured yet: setting one to anything but its default text stops
 * the start, since the operator relies on something that would not happen.
 */
export const UNAVAILABLE_SETTINGS: readonly Setting<string>[] = [
  notYet('LIVEKIT_RATE_LIMIT', 'off'),
  notYet('LIVEKIT_TRUSTED_PROXIES', 'none'),
  notYet('LIVEKIT_METRICS_BIND', 'off'),
  notYet('LIVEKIT_AS_REGISTRATION_FILE', 'none'),
  notYet('LIVEKIT_AS_TOKEN', 'none', { fromFile: true, secret: true }),
  notYet('LIVEKIT_HS_TOKEN', 'none', { fromFile: true, secret: true }),
  notYet('LIVEKIT_HS_SERVER_NAME', 'none'),
  notYet('LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS', '0'),
]

/** All settings, in the order in which people are shown them. */
export const ALL_SETTINGS: readonly Setting<unknown>[] = [
  ...Object.values(SETTINGS),
  ...UNAVAILABLE_SETTINGS,
]
