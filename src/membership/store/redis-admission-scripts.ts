import { type Script, toScript } from '../../delegation/store/redis-eval.ts'

/** Values begin so, which spares scripts the parsing of JSON. */
export const EXPIRY_FIRST = '{"expiresAt":'

const KEEP = `
  local function keepUntil(key, now, expires)
    local ttl = redis.call('PTTL', key)
    if ttl < 0 or now + ttl < expires then
      redis.call('PEXPIRE', key, string.format('%.0f', expires - now + 60000))
    end
  end
`

/**
 * `KEYS`: tokens of the Matrix room (hash), tokens of the user (sorted set), Matrix room of the
 * participant, checks (sorted set). `field, rest of the value, expiresAt, now, limit of the user, Matrix
 * room, time of the first check` gives `stored`, `renewed` or `user-full`.
 */
export const ADMIT: Script = toScript(`${KEEP}
  local inRoom, ofUser, roomOf, checks = unpack(KEYS)
  local field, rest, expires, now = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
  redis.call('ZREMRANGEBYSCORE', ofUser, '-inf', now)
  local former = redis.call('ZSCORE', ofUser, field)
  if not former and redis.call('ZCARD', ofUser) >= tonumber(ARGV[5]) then return 'user-full' end
  expires = math.max(expires, tonumber(former) or 0)
  local at = string.format('%.0f', expires)
  redis.call('HSET', inRoom, field, '${EXPIRY_FIRST}' .. at .. ',' .. rest)
  redis.call('ZADD', ofUser, at, field)
  redis.call('SET', roomOf, ARGV[6])
  for _, key in ipairs({inRoom, ofUser, roomOf}) do keepUntil(key, now, expires) end
  redis.call('ZADD', checks, 'NX', ARGV[7], ARGV[6])
  return former and 'renewed' or 'stored'
`)

/** `KEYS` as above but the checks. `field, expiresAt`: forgets a token, unless it was replaced. */
export const FORGET: Script = toScript(`
  local inRoom, ofUser, roomOf = unpack(KEYS)
  if tonumber(redis.call('ZSCORE', ofUser, ARGV[1])) ~= tonumber(ARGV[2]) then return 0 end
  redis.call('ZREM', ofUser, ARGV[1])
  redis.call('HDEL', inRoom, ARGV[1])
  return redis.call('DEL', roomOf)
`)

/** `KEYS`: tokens of the Matrix room. `now` gives the unexpired values; the others are removed. */
export const ADMITTED: Script = toScript(`
  local found = {}
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local expires = tonumber(string.match(all[i + 1], '^${EXPIRY_FIRST}(%d+)')) or 0
    if expires > tonumber(ARGV[1]) then
      found[#found + 1] = all[i + 1]
    else
      redis.call('HDEL', KEYS[1], all[i])
    end
  end
  return found
`)

/** `KEYS`: checks. `now, limit, end of the lease` gives `[time of the next one, Matrix room, …]`. */
export const CLAIM_CHECKS: Script = toScript(`
  local claimed = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
  for _, room in ipairs(claimed) do redis.call('ZADD', KEYS[1], ARGV[3], room) end
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  return {first[2] or '', unpack(claimed)}
`)

/**
 * `KEYS`: checks, tokens of the Matrix room. `Matrix room, end of the lease, time`: schedules the next
 * check, or none for a room without tokens.
 */
export const RESCHEDULE: Script = toScript(`
  if redis.call('EXISTS', KEYS[2]) == 0 then return redis.call('ZREM', KEYS[1], ARGV[1]) end
  local due = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]))
  if due and due ~= tonumber(ARGV[2]) and due < tonumber(ARGV[3]) then return 0 end
  return redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
`)
