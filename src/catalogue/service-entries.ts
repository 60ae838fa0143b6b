import type { StoreCode } from '../delegation/store/store.ts'
import type { AccessCode } from '../exchange/leave-takeover.ts'
import type { RelayCode } from '../exchange/relay.ts'
import type { CallerTroubleCode } from '../http/homeserver-calls.ts'
import type { LimitCode } from '../http/limit-hints.ts'
import type { HomeserverCode } from '../matrix/own-homeserver-api.ts'
import type { MembershipCode } from '../membership/room-check.ts'
import type { Entry } from './entry.ts'

/** Why the service cannot listen. */
export type ListenCode =
  | 'listen.port-in-use'
  | 'listen.no-such-address'
  | 'listen.not-permitted'
  | 'listen.failed'

/** The service itself, and its state. */
type ServiceCode = StoreCode | AccessCode | LimitCode | ListenCode

export const SERVICE_ENTRIES: Readonly<Record<ServiceCode, Entry>> = {
  'store.redis-unreachable': {
    sentence: 'There is no connection to Redis.',
    remedy:
      'Check host, port and scheme ("rediss" for TLS) of LIVEKIT_REDIS_URL, and whether Redis runs. Meanwhile ' +
      'tokens are handed out for OpenID tokens; delegations are refused, and so are the tokens of application-service mode.',
  },
  'store.redis-tls': {
    sentence: 'Redis and this service could not agree on TLS.',
    remedy:
      'LIVEKIT_REDIS_URL begins with "rediss" for a port with TLS, and with "redis" for one without; ' +
      'NODE_EXTRA_CA_CERTS can name a PEM file with the root of its certificate.',
  },
  'store.redis-database': {
    sentence: 'Redis does not have the database that is asked for.',
    remedy: 'Correct the number at the end of LIVEKIT_REDIS_URL; without one it is 0.',
  },
  'store.redis-silent': {
    sentence: 'Redis does not answer in time.',
    remedy: 'Check the load of Redis (SLOWLOG, swapping), and the network to it.',
  },
  'store.redis-password': {
    sentence: 'Redis wants another password, or none.',
    remedy: 'Correct LIVEKIT_REDIS_PASSWORD, or the user and password in LIVEKIT_REDIS_URL.',
  },
  'store.redis-rights': {
    sentence: 'The Redis user may not do what the service needs.',
    remedy:
      'Give the user in LIVEKIT_REDIS_URL these rights: ~lk-jwt:* &lk-jwt:* +@all -@dangerous +info.',
  },
  'store.redis-full': {
    sentence: 'Redis does not take writes: its memory or its disk is full.',
    remedy:
      'Raise "maxmemory" of Redis, with "maxmemory-policy noeviction", or make room on its disk.',
  },
  'store.redis-not-primary': {
    sentence: 'What answers is a replica of Redis, or one that is still loading.',
    remedy:
      'LIVEKIT_REDIS_URL must lead to the primary; it is found again by itself after a failover.',
  },
  'store.redis-refused': {
    sentence: 'Redis refused a command.',
    remedy:
      'The code is one of Redis; version 6.2 of Redis or Valkey is needed, without cluster mode.',
  },
  'store.redis-newer-version': {
    sentence: 'The state in Redis was written by a newer version of the service.',
    remedy: 'Run that version, or delete the keys lk-jwt:* while no replica runs: calls go on.',
  },
  'store.file-unusable': {
    sentence: 'The state file cannot be opened.',
    remedy:
      'LIVEKIT_STATE_FILE must name a file, which need not exist, in a folder that does; the user that the ' +
      'service runs as must be able to write in the folder, and to read and write the file.',
  },
  'store.file-no-database': {
    sentence: 'The state file is not a database of this service.',
    remedy:
      'LIVEKIT_STATE_FILE must name a file that only this service uses; one that does not exist is made.',
  },
  'store.file-newer-version': {
    sentence: 'The state file was written by a newer version of the service.',
    remedy: 'Run that version, or delete the file in LIVEKIT_STATE_FILE: calls go on.',
  },
  'store.file-failed': {
    sentence: 'SQLite could not read or write the state.',
    remedy: 'Check disk space, rights and file system of LIVEKIT_STATE_FILE (no network share).',
  },
  'access.restricted': {
    sentence: 'A user without full access asked for what only those with it may have.',
    remedy:
      'If the user is one of yours: the server name after the first colon of the user ID must stand in ' +
      'LIVEKIT_FULL_ACCESS_HOMESERVERS, letter for letter.',
  },
  'limits.reached': {
    sentence: 'Requests are refused, since somebody sends more of them than a limit allows.',
    remedy:
      'If they come from honest clients: LIVEKIT_RATE_LIMIT sets the limit of an address ("off" ends all of ' +
      'them); whoever comes through a proxy that LIVEKIT_TRUSTED_PROXIES does not know shares its limit.',
  },
  'limits.hidden-clients': {
    sentence:
      'A proxy does not tell which clients it asks for, so they are not limited by address.',
    remedy:
      'Have the proxy send the header "X-Forwarded-For"; requests made on this machine itself do no harm.',
  },
  'limits.unknown-proxy': {
    sentence: 'All requests come from one private address, and share its limit.',
    remedy: 'If it is your proxy, add {} to LIVEKIT_TRUSTED_PROXIES.',
  },
  'limits.hidden-network': {
    sentence: 'All requests come through a proxy from one private address, and share its limit.',
    remedy:
      'If many clients are behind it, have the network keep their addresses until they reach the proxy.',
  },
  'listen.port-in-use': {
    sentence: 'Another process listens at the address already.',
    remedy: 'End it, or choose another port: {}.',
  },
  'listen.no-such-address': {
    sentence: 'This machine has no such address.',
    remedy: 'Use an address of this machine, or a port alone for all of them: {}.',
  },
  'listen.not-permitted': {
    sentence: 'The system does not permit to listen at the address.',
    remedy: 'Ports below 1024 need privileges; choose a higher one: {}.',
  },
  'listen.failed': {
    sentence: 'The system does not let the service listen at the address.',
    remedy: 'Check the address: {}.',
  },
}

type ModeCode = HomeserverCode | MembershipCode | RelayCode | CallerTroubleCode

/** Application-service mode. */
export const APPLICATION_SERVICE_ENTRIES: Readonly<Record<ModeCode, Entry>> = {
  'homeserver.as-token-refused': {
    sentence: 'Our homeserver does not accept the as_token.',
    remedy:
      'The homeserver must load the same registration file as LIVEKIT_AS_REGISTRATION_FILE ' +
      '("app_service_config_files" of Synapse), and be restarted after a change.',
  },
  'homeserver.unsupported': {
    sentence: 'Our homeserver lacks an endpoint that application-service mode needs.',
    remedy:
      'Update the homeserver, and turn on what "jwt-service registration" tells; or run without ' +
      'LIVEKIT_AS_REGISTRATION_FILE.',
  },
  'homeserver.refused': {
    sentence: 'Our homeserver refused a request of its application service.',
    remedy:
      'Check "namespaces" and the scopes in the registration file; "jwt-service registration" prints one ' +
      'that fits.',
  },
  'homeserver.unavailable': {
    sentence: 'Our homeserver cannot serve requests now.',
    remedy: 'Check whether it runs, its log, and the proxy before it.',
  },
  'homeserver.bad-answer': {
    sentence: "Our homeserver's answer cannot be understood.",
    remedy:
      "LIVEKIT_CS_API_URL_OVERRIDES, or /.well-known/matrix/client, must lead to the homeserver's client " +
      'API itself.',
  },
  'homeserver.too-slow': {
    sentence: 'The request took longer than the homeserver waits.',
    remedy: 'Check the load of the homeserver, or of that at the other site if the call is there.',
  },
  'homeserver.hs-token-unknown': {
    sentence: 'Somebody asked with another hs_token than that of our homeserver.',
    remedy:
      'If it is your homeserver: it and LIVEKIT_AS_REGISTRATION_FILE (or LIVEKIT_HS_TOKEN) must hold the ' +
      'same hs_token, and it must have been restarted since.',
  },
  'membership.wrong-namespace': {
    sentence: 'Our homeserver shows the service no members of a room that our users are in.',
    remedy:
      '"namespaces.users" of the registration file must match the users of LIVEKIT_HS_SERVER_NAME.',
  },
  'relay.refused': { sentence: 'The service of another site refused one of our users.' },
  'relay.bad-answer': {
    sentence: 'The service of another site did not answer as expected.',
    remedy: 'The operator of that site must look into it.',
  },
}
