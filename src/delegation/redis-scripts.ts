import { createHash } from 'node:crypto'

/** A Lua script that Redis runs as one step. */
export interface Script {
  readonly text: string
  /** SHA-1 of the text, by which Redis knows it. */
  readonly sha: string
}

function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/** Hash: field is the JSON array `[room, identity]`, value the delegation as JSON. */
export const JOBS_KEY = 'lk-jwt:jobs'
/** Sorted set of the fields by the time at which they are due, or their lease runs out. */
export const DUE_KEY = 'lk-jwt:due'
/** Sorted set of the fields, all with score 0: by their order those of one room are found. */
export const ROOMS_KEY = 'lk-jwt:rooms'
/** Channel on which workers are told of what is due now. */
export const WAKE_CHANNEL = 'lk-jwt:wake'
/** Version of this layout. */
export const SCHEMA_KEY = 'lk-jwt:schema'
/** There while a worker is alive. */
export const ALIVE_KEY = 'lk-jwt:alive'

/** Keys of all scripts, in the order in which they know them. */
export const SCRIPT_KEYS = [JOBS_KEY, DUE_KEY, ROOMS_KEY]

/** `field, value, dueAt, channel` */
export const PUT = script(`
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
  redis.call('ZADD', KEYS[3], 0, ARGV[1])
  redis.call('PUBLISH', ARGV[4], ARGV[1])
  return 1
`)

/**
 * `field, former value, value or '', dueAt, channel or '', former dueAt or ''` gives 1 when it was
 * done. With a former time, one that has been put off since stays put off.
 */
export const REPLACE = script(`
  if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
  if ARGV[3] == '' then
    redis.call('HDEL', KEYS[1], ARGV[1])
    redis.call('ZREM', KEYS[2], ARGV[1])
    redis.call('ZREM', KEYS[3], ARGV[1])
  else
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
    local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
    if ARGV[6] == '' or not due or tonumber(due) == tonumber(ARGV[6]) then
      redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
    end
    redis.call('ZADD', KEYS[3], 0, ARGV[1])
  end
  if ARGV[5] ~= '' then redis.call('PUBLISH', ARGV[5], ARGV[1]) end
  return 1
`)

/** `field, value, dueAt` */
export const POSTPONE = script(`
  if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
  redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
  return 1
`)

/** `now, limit, longest lease, shortest lease, share` gives `[time of the next one, value…]`. */
export const CLAIM = script(`
  local claimed = {}
  local now = tonumber(ARGV[1])
  local fields = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[2])
  for _, field in ipairs(fields) do
    local value = redis.call('HGET', KEYS[1], field)
    -- Another program may have written something else.
    local known, delegation = pcall(cjson.decode, value)
    local delayMs = known and type(delegation) == 'table' and tonumber(delegation.delayMs)
    if delayMs then
      local lease = math.floor(delayMs * tonumber(ARGV[5]))
      lease = math.min(tonumber(ARGV[3]), math.max(tonumber(ARGV[4]), lease))
      redis.call('ZADD', KEYS[2], string.format('%.0f', now + lease), field)
      claimed[#claimed + 1] = value
    else
      redis.call('ZREM', KEYS[2], field)
      redis.call('ZREM', KEYS[3], field)
    end
  end
  local first = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
  return {first[2] or '', unpack(claimed)}
`)
