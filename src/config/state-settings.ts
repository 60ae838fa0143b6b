import { anyText, filePath, integer, seconds } from './parsers.ts'
import { redisUrl } from './secret-parsers.ts'
import { setting } from './setting.ts'

/** Settings about delegated leave events, and where they are kept. */
export const STATE_SETTINGS = {
  redisUrl: setting({
    name: 'LIVEKIT_REDIS_URL',
    fromFile: true,
    secret: true,
    defaultText: 'none',
    meaning: 'keeps delegations in Redis or Valkey ("redis://", "rediss://"), for several replicas',
    details: `
Keeps delegations, and the tokens of application-service mode, in Redis 6.2 or newer or in Valkey,
so that they outlive a restart and any number of replicas can share them. More than one replica
needs it. The URL begins with redis://, or with rediss:// for TLS. It may hold a user name and a
password, percent-encoded, and as path the number of the database:
rediss://user:password@valkey:6379/1. An authority of your own is trusted by NODE_EXTRA_CA_CERTS.
Together with LIVEKIT_STATE_FILE it is an error.

It is one server, a primary behind a stable address, or a cluster of one shard. Every key begins
with "lk-jwt:", so give each installation a database number or a server of its own. Set
"appendonly yes" and "maxmemory-policy noeviction" there. The service starts without Redis, and
connects when it is there.`,
    example: 'redis://valkey:6379',
    parse: redisUrl,
  }),
  redisPassword: setting({
    name: 'LIVEKIT_REDIS_PASSWORD',
    fromFile: true,
    secret: true,
    defaultText: 'that in LIVEKIT_REDIS_URL',
    meaning: 'password for Redis',
    details: `
The password for Redis as it is, not percent-encoded. It wins over the one in LIVEKIT_REDIS_URL,
and is ignored, with a warning, while that is not set.`,
    example: 'a-long-random-password',
    parse: anyText,
  }),
  stateFile: setting({
    name: 'LIVEKIT_STATE_FILE',
    defaultText: 'in memory',
    meaning: 'keeps delegations in an SQLite file, so that they outlive a restart',
    details: `
Keeps delegations, and the tokens of application-service mode, in an SQLite file, so that they
outlive a restart of the service. The file is made where there is none, but its directory must be
there, and the user of the service must be able to write to it: two more files, with -wal and -shm
at their ends, come to lie beside it. The path begins with "/", "./" or "../". In the container
image, use /data on a volume. The file holds secrets: keep its directory, and all backups, to the
user of the service. Stop the service before you copy it. Only one process can use it; several
replicas need LIVEKIT_REDIS_URL, and setting both is an error.

Without either, delegations are in memory: a restart forgets them, and the homeserver then
announces that participants have left who are still in the call.`,
    example: '/data/state.sqlite',
    parse: filePath,
  }),
  maxDelegationsPerUser: setting({
    name: 'LIVEKIT_MAX_DELEGATIONS_PER_USER',
    defaultText: '100',
    meaning: 'how many delegations a user may have at a time, 1 to 1000000',
    details: `
How many delayed leave events one user may have handed over at a time, from 1 to 1000000; what is
beyond that is refused with 429. The users of a server that LIVEKIT_FULL_ACCESS_HOMESERVERS does
not name may have 20,000 together.`,
    example: '100',
    parse: integer(1, 1_000_000),
  }),
  sanityCheckSeconds: setting({
    name: 'LIVEKIT_SANITY_CHECK_INTERVAL_SECONDS',
    defaultText: '0 (no more often than delayed events are restarted)',
    meaning: 'how often the presence of a connected participant is checked with the SFU',
    details: `
How often, in seconds from 0 to 86400, the service asks the SFU whether a connected participant
whose leave event was handed over is still there. It asks once between two restarts of the event
in any case, and with 0 no more often than that.`,
    example: '60',
    parse: seconds(0, 86_400),
  }),
}
