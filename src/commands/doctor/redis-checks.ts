import { RedisConnection } from '../../delegation/store/redis-connection.ts'
import { besideJobs, WAKE_CHANNEL } from '../../delegation/store/redis-keys.ts'
import { type StoreCode, StoreUnavailable } from '../../delegation/store/store.ts'
import type { Trouble } from '../../trouble.ts'
import type { Clocks } from './clock-skew.ts'
import type { Report } from './report.ts'

/** What the checks of Redis need. */
export interface RedisCheckParts {
  /** With credentials. */
  readonly url: string
  readonly report: Report
  readonly clocks: Clocks
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly timeoutMs?: number | undefined
}

type Send = (command: string, ...args: readonly string[]) => Promise<unknown>

/** Oldest version of Redis that has all that the service needs. */
export const MIN_VERSION = [6, 2] as const
const MAX_SKEW_MS = 2_000

function fieldsOf(info: unknown): ReadonlyMap<string, string> {
  const lines = String(info).split('\r\n')
  return new Map(lines.map((line) => [line.split(':', 1)[0] ?? '', line.replace(/^[^:]*:/, '')]))
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major < MIN_VERSION[0] || (major === MIN_VERSION[0] && minor < MIN_VERSION[1])
}

/** Does once what the service does all the time. */
async function tryRights(send: Send): Promise<void> {
  const key = besideJobs('doctor')
  await send('SET', key, '1', 'PX', '1000')
  await send('EVAL', "return redis.call('GET', KEYS[1])", '1', key)
  await send('DEL', key)
  await send('PUBLISH', WAKE_CHANNEL, '')
}

async function reportClock({ report, clocks, now }: RedisCheckParts, send: Send): Promise<void> {
  const time = await send('TIME')
  const [seconds = 0, micros = 0] = Array.isArray(time) ? time.map(Number) : []
  const skewMs = seconds * 1_000 + micros / 1_000 - now()
  if (!Number.isFinite(skewMs) || Math.abs(skewMs) < MAX_SKEW_MS || clocks.isKnown(skewMs / 1_000))
    return
  const found = `its clock and ours are ${Math.round(Math.abs(skewMs) / 1_000)} s apart`
  report.warning('state', { code: 'store.redis-clock-skew', found })
}

async function inspect(parts: RedisCheckParts, send: Send): Promise<void> {
  const { report } = parts
  await tryRights(send)
  const info = fieldsOf(await send('INFO'))
  const version = info.get('valkey_version') ?? info.get('redis_version') ?? ''
  const isValkey = info.has('valkey_version')
  if (!/^\d+\.\d+/.test(version)) {
    const found = 'what answers INFO is neither Redis nor Valkey'
    return report.problem('state', { code: 'store.redis-refused', found })
  }
  const name = isValkey ? `Valkey ${version}` : `Redis ${version}`
  if (!isValkey && isTooOld(version)) {
    return report.problem('state', { code: 'store.redis-too-old', found: name })
  }
  await reportClock(parts, send)
  const eviction = info.get('maxmemory_policy') ?? 'noeviction'
  const isBounded = info.get('maxmemory') !== '0'
  if (eviction !== 'noeviction' && isBounded) {
    const found = `${name} has "maxmemory-policy ${eviction}"`
    report.problem('state', { code: 'store.redis-evicts', found })
  }
  if (info.get('aof_enabled') !== '1') {
    const found = `${name} has "appendonly no"`
    return report.warning('state', { code: 'store.redis-not-persistent', found })
  }
  report.ok('state', `${name}, on disk, with all rights that the service needs`)
}

/** Checks Redis. */
export async function checkRedis(parts: RedisCheckParts): Promise<void> {
  const { url, report, timeoutMs } = parts
  report.progress('Redis')
  let away: Trouble<StoreCode> | undefined
  const connection = new RedisConnection({
    url,
    prepare: async () => {},
    timeoutMs,
    onChange(_, trouble) {
      away = trouble
    },
  })
  await connection.start()
  try {
    if (away !== undefined) return report.problem('state', away)
    await inspect(parts, (command, ...args) => connection.send(command, args))
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    report.problem('state', error.trouble)
  } finally {
    connection.close()
  }
}
