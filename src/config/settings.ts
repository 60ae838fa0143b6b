import { APPLICATION_SERVICE_SETTINGS } from './application-service.ts'
import { HOMESERVER_SETTINGS } from './homeserver-settings.ts'
import { OPERATION_SETTINGS } from './operation-settings.ts'
import {
  anyText,
  bindAddress,
  boolean,
  filePath,
  integer,
  logLevel,
  oneOf,
  portAlone,
  serverNames,
  url,
} from './parsers.ts'
import { type Setting, setting } from './reader.ts'
import { redisUrl, signingSecret } from './secret-parsers.ts'

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
  ...OPERATION_SETTINGS,
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
  ...HOMESERVER_SETTINGS,
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
    parse: filePath('/data/state.sqlite'),
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
  ...APPLICATION_SERVICE_SETTINGS,
}

/** All settings, in the order in which people are shown them. */
export const ALL_SETTINGS: readonly Setting<unknown>[] = Object.values(SETTINGS)
