import { parseJson } from '../lib/json.ts'
import { type Delegation, dueAt } from './delegation.ts'
import { adopt } from './redis-adoption.ts'
import { type ConnectionState, RedisConnection } from './redis-connection.ts'
import { fieldOf, keyOf, strings, toStored } from './redis-records.ts'
import {
  ALIVE_KEY,
  CLAIM,
  JOBS_KEY,
  POSTPONE,
  PUT,
  REPLACE,
  ROOMS_KEY,
  SCHEMA_KEY,
  SCRIPT_KEYS,
  type Script,
  WAKE_CHANNEL,
} from './redis-scripts.ts'
import {
  type Claim,
  type DelegationStore,
  LEASE_SHARE,
  MIN_LEASE_MS,
  type Stored,
  StoreUnavailable,
} from './store.ts'
import { WakeListeners } from './wake-listeners.ts'

/** Settings of {@link openRedisStore}. */
export interface RedisStoreOptions {
  /** `redis://` or `rediss://`, with credentials and database number. */
  readonly url: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly newGeneration: () => string
  /** Told when the store comes and goes; `cause` says why it is not there. */
  readonly onChange: (state: ConnectionState, cause: string) => void
  /** How long a command may take. */
  readonly timeoutMs?: number | undefined
}

const SCHEMA_VERSION = 1
const SCAN_BATCH = 200
const ALIVE_MS = 3_000
const KEEP_ALIVE_MS = 1_000

/**
 * Opens the store in Redis or Valkey, for any number of replicas; while it cannot be reached it goes on
 * trying.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<DelegationStore> {
  const { url, now, newGeneration, onChange, timeoutMs } = options
  const wake = new WakeListeners()

  const commands = new RedisConnection({
    url,
    timeoutMs,
    onChange,
    async prepare(client) {
      await client.send('SETNX', [SCHEMA_KEY, String(SCHEMA_VERSION)])
      const version = await client.send('GET', [SCHEMA_KEY])
      if (Number(version) <= SCHEMA_VERSION) return
      throw new StoreUnavailable(
        `Redis holds schema version ${version}, and this program knows versions up to ${SCHEMA_VERSION}`,
      )
    },
  })
  const subscription = new RedisConnection({
    url,
    timeoutMs,
    onChange: () => {},
    keepAliveMs: KEEP_ALIVE_MS,
    async prepare(client) {
      await client.subscribe(WAKE_CHANNEL, (field) => wake.tell(keyOf(field)))
      // What was said while nobody listened is not lost: workers look for themselves now.
      wake.tell(undefined)
    },
  })
  await Promise.all([commands.start(), subscription.start()])

  async function run({ text, sha }: Script, args: readonly string[]): Promise<unknown> {
    const keysAndArgs = [String(SCRIPT_KEYS.length), ...SCRIPT_KEYS, ...args]
    try {
      return await commands.send('EVALSHA', [sha, ...keysAndArgs])
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || !error.message.endsWith('NOSCRIPT')) throw error
      return commands.send('EVAL', [text, ...keysAndArgs])
    }
  }

  /** Go escapes more characters in JSON than is needed, and so may have written another field. */
  async function moveEntry(adopted: Delegation, due: string): Promise<void> {
    const field = fieldOf(adopted)
    if ((await commands.send('HGET', [JOBS_KEY, field])) !== null) return
    await run(PUT, [field, JSON.stringify(adopted), due, WAKE_CHANNEL])
  }

  async function adoptEntry(field: string, value: string): Promise<Stored[]> {
    const adopted = adopt(parseJson(value), now(), newGeneration())
    if (adopted === undefined) return []
    const next = adopted === 'expired' ? '' : JSON.stringify(adopted)
    const due = adopted === 'expired' ? '0' : String(Math.ceil(dueAt(adopted)))
    if (adopted !== 'expired' && fieldOf(adopted) !== field) {
      await moveEntry(adopted, due)
      await run(REPLACE, [field, value, '', '0', '', ''])
      return []
    }
    const done = await run(REPLACE, [field, value, next, due, '', ''])
    return done === 1 ? toStored(next) : []
  }

  return {
    async put(delegation) {
      const due = String(Math.ceil(dueAt(delegation)))
      await run(PUT, [fieldOf(delegation), JSON.stringify(delegation), due, WAKE_CHANNEL])
    },

    async find(key) {
      return toStored(await commands.send('HGET', [JOBS_KEY, fieldOf(key)]))[0]
    },

    async findInRoom(room) {
      const start = JSON.stringify([room]).slice(0, -1)
      const range = [`[${start},`, `[${start},\xff`]
      const fields = strings(await commands.send('ZRANGEBYLEX', [ROOMS_KEY, ...range]))
      if (fields.length === 0) return []
      const values = await commands.send('HMGET', [JOBS_KEY, ...fields])
      return Array.isArray(values) ? values.flatMap(toStored) : []
    },

    async claimDue(at, limit, maxLeaseMs): Promise<Claim> {
      const numbers = [at, limit, maxLeaseMs, MIN_LEASE_MS, LEASE_SHARE]
      const [next = '', ...values] = strings(await run(CLAIM, numbers.map(String)))
      return {
        claimed: values.flatMap(toStored),
        nextDueAt: next === '' ? undefined : Number(next),
      }
    },

    async replace(stored, next, notice) {
      const value = next === undefined ? '' : JSON.stringify(next)
      const due = next === undefined ? '0' : String(Math.ceil(dueAt(next)))
      const channel = notice === 'wake' ? WAKE_CHANNEL : ''
      const field = fieldOf(stored.delegation)
      const formerDue = notice === 'keep-lease' ? String(Math.ceil(dueAt(stored.delegation))) : ''
      return (await run(REPLACE, [field, stored.text, value, due, channel, formerDue])) === 1
    },

    async postpone({ delegation, text }, at) {
      await run(POSTPONE, [fieldOf(delegation), text, String(Math.ceil(at))])
    },

    async wakeAll() {
      await commands.send('PUBLISH', [WAKE_CHANNEL, ''])
    },

    async scan(visit) {
      let cursor = '0'
      do {
        const page = await commands.send('HSCAN', [JOBS_KEY, cursor, 'COUNT', String(SCAN_BATCH)])
        const [next, entries] = Array.isArray(page) ? page : ['0', []]
        cursor = String(next)
        const flat = strings(entries)
        const batch: Stored[] = []
        for (let i = 0; i + 1 < flat.length; i += 2) {
          const [field = '', value = ''] = flat.slice(i, i + 2)
          const ours = toStored(value)
          batch.push(...(ours.length > 0 ? ours : await adoptEntry(field, value)))
        }
        await visit(batch)
      } while (cursor !== '0')
    },

    async heartbeat(at) {
      const args = [ALIVE_KEY, String(at), 'PX', String(ALIVE_MS), 'GET']
      return (await commands.send('SET', args)) !== null
    },

    onWake: (listener) => wake.add(listener),

    async close() {
      commands.close()
      subscription.close()
    },
  }
}
