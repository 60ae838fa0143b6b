import { toScript } from './redis-eval.ts'

/** Begins every script; `KEYS` are those of `SCRIPT_KEYS`. */
const FUNCTIONS = `
  local JOBS, DUE, ROOMS, USERS, STORE, REPLICAS = unpack(KEYS)

  -- pcall: without permission for the channel, storing still works and workers poll.
  local function wake(channel, field)
    if channel ~= '' then redis.pcall('PUBLISH', channel, field) end
  end

  local function index(field, due, user)
    redis.call('ZADD', DUE, due, field)
    redis.call('ZADD', ROOMS, 0, field)
    redis.call('ZADD', USERS, 0, user)
  end

  local function set(field, value, due, user, nobody)
    redis.call('HSET', JOBS, field, value)
    redis.call('ZREM', USERS, nobody)
    index(field, due, user)
  end

  local function countUnder(prefix)
    return redis.call('ZLEXCOUNT', USERS, '[' .. prefix, '[' .. prefix .. '\\255')
  end

  local function decode(value)
    local known, entry = pcall(cjson.decode, value)
    return known and type(entry) == 'table' and entry or {}
  end
`

const script = (body: string) => toScript(FUNCTIONS + body)

/**
 * `field, value, dueAt, user, nobody, channel, prefix of the user, limit of the user, prefix of the
 * server, limit of the server` gives `stored`, `user-full` or `server-full`. Replacing a delegation of
 * the same user is always allowed. A limit of -1 means none.
 */
export const PUT = script(`
  local field, value, due, user, nobody, channel = unpack(ARGV, 1, 6)
  if not redis.call('ZSCORE', USERS, user) then
    local bounds = {{'user-full', ARGV[7], ARGV[8]}, {'server-full', ARGV[9], ARGV[10]}}
    for _, bound in ipairs(bounds) do
      local most = tonumber(bound[3])
      if most >= 0 and countUnder(bound[2]) >= most then return bound[1] end
    end
  end
  set(field, value, due, user, nobody)
  wake(channel, field)
  return 'stored'
`)

/**
 * `field, former value, value or '', dueAt, channel or '', former dueAt or '', user` gives 1 when it was
 * done. With a former dueAt, a lease or postponement made since then is kept.
 */
export const REPLACE = script(`
  local field, former, value, due, channel, formerDue, user = unpack(ARGV)
  if redis.call('HGET', JOBS, field) ~= former then return 0 end
  if value == '' then
    redis.call('HDEL', JOBS, field)
    redis.call('ZREM', DUE, field)
    redis.call('ZREM', ROOMS, field)
    redis.call('ZREM', USERS, user)
  else
    redis.call('HSET', JOBS, field, value)
    local leased = redis.call('ZSCORE', DUE, field)
    if formerDue == '' or not leased or tonumber(leased) == tonumber(formerDue) then
      redis.call('ZADD', DUE, due, field)
    end
  end
  wake(channel, field)
  return 1
`)

/** `field, value, dueAt` */
export const POSTPONE = script(`
  if redis.call('HGET', JOBS, ARGV[1]) ~= ARGV[2] then return 0 end
  redis.call('ZADD', DUE, ARGV[3], ARGV[1])
  return 1
`)

/**
 * `now, limit, longest lease, shortest lease, share` gives `[time of the next one, field, value, …]`.
 * Index entries without a value in the hash are removed.
 */
export const CLAIM = script(`
  local now, limit = tonumber(ARGV[1]), ARGV[2]
  local longest, shortest, share = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
  local claimed = {}
  for _, field in ipairs(redis.call('ZRANGEBYSCORE', DUE, '-inf', now, 'LIMIT', 0, limit)) do
    local value = redis.call('HGET', JOBS, field)
    local entry = value and decode(value)
    local params = entry and type(entry.Params) == 'table' and entry.Params or {}
    local delayMs = entry and tonumber(entry.delayMs) or (tonumber(params.DelayTimeout) or 0) / 1e6
    if value then
      local lease = math.min(longest, math.max(shortest, math.floor(delayMs * share)))
      redis.call('ZADD', DUE, string.format('%.0f', now + lease), field)
      claimed[#claimed + 1] = field
      claimed[#claimed + 1] = value
    else
      redis.call('ZREM', DUE, field)
      redis.call('ZREM', ROOMS, field)
    end
  end
  local first = redis.call('ZRANGE', DUE, 0, 0, 'WITHSCORES')
  return {first[2] or '', unpack(claimed)}
`)

/** `field`: removes an entry that is not a delegation from the indexes. */
export const UNINDEX = script(`
  redis.call('ZREM', DUE, ARGV[1])
  redis.call('ZREM', ROOMS, ARGV[1])
  return 1
`)

/**
 * `new ID, seconds between two comparisons, ID of the replica` gives `[ID of the data and of the process that holds it,
 * beats so far, seconds, microseconds, fields of the hash, due, rooms, users, 1 when it is time to
 * compare, replicas that have beaten in the last 5 s]`.
 */
export const BEAT = script(`
  -- Another process of Redis may lack what this one wrote last.
  local info = redis.pcall('INFO', 'server')
  local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
  redis.call('HSETNX', STORE, 'id', ARGV[1])
  local beats = redis.call('HINCRBY', STORE, 'beats', 1)
  local time = redis.call('TIME')
  redis.call('ZADD', REPLICAS, time[1], ARGV[3])
  redis.call('ZREMRANGEBYSCORE', REPLICAS, '-inf', time[1] - 5)
  local comparedAt = tonumber(redis.call('HGET', STORE, 'comparedAt')) or 0
  local compare = 0
  if math.abs(tonumber(time[1]) - comparedAt) >= tonumber(ARGV[2]) then
    compare = 1
    redis.call('HSET', STORE, 'comparedAt', time[1])
  end
  return {
    redis.call('HGET', STORE, 'id') .. run, beats, time[1], time[2], redis.call('HLEN', JOBS),
    redis.call('ZCARD', DUE), redis.call('ZCARD', ROOMS), redis.call('ZCARD', USERS), compare,
    redis.call('ZCARD', REPLICAS),
  }
`)

/**
 * `cursor, count, 1 for all of them` gives `[next cursor, [field, value, …]]` of the entries of the hash
 * that are missing in an index or are not ours. It does not check the user index.
 */
export const COMPARE = script(`
  local page = redis.call('HSCAN', JOBS, ARGV[1], 'COUNT', ARGV[2])
  local found = {}
  for i = 1, #page[2], 2 do
    local field, value = page[2][i], page[2][i + 1]
    local indexed = redis.call('ZSCORE', DUE, field) and redis.call('ZSCORE', ROOMS, field)
    if ARGV[3] == '1' or not indexed or not decode(value).generation then
      found[#found + 1] = field
      found[#found + 1] = value
    end
  end
  return {page[1], found}
`)

/** `field, value, dueAt, user` gives 0 when the value has changed, 1 when done, 2 when nothing was missing. */
export const INDEX = script(`
  local field, value, due, user = unpack(ARGV)
  if redis.call('HGET', JOBS, field) ~= value then return 0 end
  local isDue, isInRoom = redis.call('ZSCORE', DUE, field), redis.call('ZSCORE', ROOMS, field)
  if isDue and isInRoom and redis.call('ZSCORE', USERS, user) then return 2 end
  index(field, isDue or due, user)
  return 1
`)

/** `cursor, count` gives the next cursor: removes members of the user index that the hash does not hold. */
export const PRUNE = script(`
  local page = redis.call('ZSCAN', USERS, ARGV[1], 'COUNT', ARGV[2])
  local gone = {}
  for i = 1, #page[2], 2 do
    local member = page[2][i]
    local field = decode(member)[3]
    if type(field) ~= 'string' or redis.call('HEXISTS', JOBS, field) == 0 then
      gone[#gone + 1] = member
    end
  end
  for _, member in ipairs(gone) do redis.call('ZREM', USERS, member) end
  return page[1]
`)

/**
 * `field, value, dueAt, user, nobody, acceptedAt, deadlineAt`: writes a remembered delegation unless a
 * newer one is there; gives 1 when it was done.
 */
export const RESTORE = script(`
  local field, value, due, user, nobody = unpack(ARGV, 1, 5)
  local acceptedAt, deadlineAt = tonumber(ARGV[6]), tonumber(ARGV[7])
  local there = redis.call('HGET', JOBS, field)
  if there then
    local entry = decode(there)
    local since, untilAt = tonumber(entry.acceptedAt) or 0, tonumber(entry.deadlineAt) or 0
    if since > acceptedAt or (since == acceptedAt and untilAt >= deadlineAt) then return 0 end
  end
  set(field, value, due, user, nobody)
  return 1
`)
