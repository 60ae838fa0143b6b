/** Hash: field is the JSON array `[room, identity]`, value the delegation as JSON. */
export const JOBS_KEY = 'lk-jwt:jobs'

/** A key in the same cluster slot as {@link JOBS_KEY}. */
export function besideJobs(name: string): string {
  return `lk-jwt:{${JOBS_KEY}}:${name}`
}

/** Sorted set of the fields by due time, or by the end of their lease. */
export const DUE_KEY = besideJobs('due')
/** Sorted set of the fields, all with score 0: a lexical range finds those of one room. */
export const ROOMS_KEY = besideJobs('rooms')
/** Sorted set of `[server, user, field]`, all with score 0: a lexical range counts those of one user. */
export const USERS_KEY = besideJobs('users')
/** Hash with the ID of the data set and a beat counter, which reveal data loss and rollback. */
export const STORE_KEY = besideJobs('store')
/** Version of the layout. The key has this name in all versions, so that older programs see it. */
export const SCHEMA_KEY = 'lk-jwt:schema'
/** Channel that tells workers what is due now. */
export const WAKE_CHANNEL = 'lk-jwt:wake'
/** Keys of the first layout, besides the hash. */
export const FORMER_KEYS = ['lk-jwt:due', 'lk-jwt:rooms', 'lk-jwt:alive']

/** `KEYS` of every script. */
export const SCRIPT_KEYS = [
  JOBS_KEY,
  DUE_KEY,
  ROOMS_KEY,
  USERS_KEY,
  STORE_KEY,
  besideJobs('replicas'),
]
