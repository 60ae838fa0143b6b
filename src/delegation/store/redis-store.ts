import type { RedisClient } from 'bun'
import type { Trouble } from '../../trouble.ts'
import { type Delegation, dueAt } from '../life/record.ts'
import { type ConnectionState, RedisConnection } from './redis-connection.ts'
import { runScript } from './redis-eval.ts'
import {
  FORMER_KEYS,
  JOBS_KEY,
  ROOMS_KEY,
  SCHEMA_KEY,
  SCRIPT_KEYS,
  WAKE_CHANNEL,
} from './redis-keys.ts'
import { createMending, type RunScript } from './redis-mending.ts'
import { fieldOf, keyOf, pairs, strings, toStored, toText, userEntriesOf } from './redis-records.ts'
import { CLAIM, POSTPONE, PUT, REPLACE } from './redis-scripts.ts'
import { surveyRedis } from './redis-survey.ts'
import { createUpkeep } from './redis-upkeep.ts'
import {
  type Claim,
  type DelegationStore,
  keepsLease,
  LEASE_SHARE,
  MIN_LEASE_MS,
  type PutOutcome,
  type StoreCode,
  type Stored,
  StoreUnavailable,
  WakeListeners,
  wakes,
} from './store.ts'

/** Settings of {@link openRedisStore}. */
export interface RedisStoreOptions {
  /** `redis://` or `rediss://`, with credentials and database number. */
  readonly url: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly newGeneration: () => string
  /** Called when the connection is made or lost; `cause` says why it was lost. */
  readonly onChange: (state: ConnectionState, trouble: Trouble<StoreCode> | undefined) => void
  /** Called when replicas can wake each other, and when they no longer can and poll instead. */
  readonly onWakeChange?:
    | ((state: ConnectionState, trouble: Trouble<StoreCode> | undefined) => void)
    | undefined
  /** Timeout of a command. */
  readonly timeoutMs?: number | undefined
}

const SCHEMA_VERSION = 2
const SCAN_BATCH = 200
const KEEP_ALIVE_MS = 1_000
const NO_BOUND = -1

/**
 * Checks and writes the version of the layout, so that older programs that connect later refuse the
 * data. The indexes of the first layout are deleted; mending rebuilds them from the hash.
 */
async function prepareLayout(client: RedisClient): Promise<void> {
  const version = Number((await client.send('GET', [SCHEMA_KEY])) ?? 0)
  if (version > SCHEMA_VERSION) {
    throw new StoreUnavailable(
      'store.redis-newer-version',
      `Redis holds schema version ${version}, and this program knows versions up to ${SCHEMA_VERSION}`,
    )
  }
  await client.send('SET', [SCHEMA_KEY, String(SCHEMA_VERSION)])
  if (version === SCHEMA_VERSION) return
  for (const key of FORMER_KEYS) await client.send('DEL', [key])
}

/**
 * Opens a store in Redis or Valkey, for any number of replicas. It resolves even if Redis cannot be
 * reached, and goes on trying to connect.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<DelegationStore> {
  const { url, now, newGeneration, onChange, onWakeChange = () => {}, timeoutMs } = options
  const wake = new WakeListeners()
  let canBeWoken = false

  const commands = new RedisConnection({
    url,
    timeoutMs,
    onChange(state, cause) {
      // Another server may answer at the address from now on.
      if (state === 'away') subscription.reconnect()
      onChange(state, cause)
    },
    prepare: prepareLayout,
  })
  const subscription: RedisConnection = new RedisConnection({
    url,
    timeoutMs,
    onChange(state, cause) {
      canBeWoken = state === 'connected'
      onWakeChange(state, cause)
    },
    keepAliveMs: KEEP_ALIVE_MS,
    async prepare(client) {
      await client.subscribe(WAKE_CHANNEL, (field) => wake.tell(keyOf(field)))
      // Wakes may have been missed before the subscription, so workers poll now.
      wake.tell(undefined)
    },
  })
  await Promise.all([commands.start(), subscription.start()])

  const run: RunScript = (script, args) => runScript(commands, script, SCRIPT_KEYS, args)
  const mending = createMending({ run, now, newGeneration })
  const upkeep = createUpkeep({
    run,
    mending,
    onDataLost: () => commands.send('SET', [SCHEMA_KEY, String(SCHEMA_VERSION)]),
  })

  /** Without the channel, at least this replica's own worker is woken. */
  function tellOwn({ room, identity }: Delegation): void {
    if (!canBeWoken) wake.tell({ room, identity })
  }

  /** Adopts an entry that another program has overwritten. */
  async function readClaimed(field: string, text: string): Promise<readonly Stored[]> {
    const ours = toStored(text)
    if (ours.length > 0) return ours
    const treated = await mending.treat(field, text)
    return treated.kind === 'adopted' ? [treated.stored] : []
  }

  return {
    async put(delegation, bounds) {
      const { member, nobody, userPrefix, serverPrefix } = userEntriesOf(delegation)
      const due = Math.ceil(dueAt(delegation))
      const outcome = await run(PUT, [
        ...[fieldOf(delegation), toText(delegation), due, member, nobody, WAKE_CHANNEL],
        ...[userPrefix, bounds?.perUser ?? NO_BOUND, serverPrefix, bounds?.perServer ?? NO_BOUND],
      ])
      tellOwn(delegation)
      return outcome as PutOutcome
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
      const [next = '', ...flat] = strings(await run(CLAIM, numbers))
      const claimed: Stored[] = []
      for (const [field, text] of pairs(flat)) claimed.push(...(await readClaimed(field, text)))
      return { claimed, nextDueAt: next === '' ? undefined : Number(next) }
    },

    async replace(stored, next, notice) {
      const { delegation, text } = stored
      const value = next === undefined ? '' : toText(next)
      const due = next === undefined ? 0 : Math.ceil(dueAt(next))
      const channel = wakes(notice) ? WAKE_CHANNEL : ''
      const formerDue = keepsLease(notice) ? Math.ceil(dueAt(delegation)) : ''
      const { member } = userEntriesOf(delegation)
      const args = [fieldOf(delegation), text, value, due, channel, formerDue, member]
      const done = (await run(REPLACE, args)) === 1
      if (done && wakes(notice)) tellOwn(delegation)
      return done
    },

    async postpone({ delegation, text }, at) {
      await run(POSTPONE, [fieldOf(delegation), text, Math.ceil(at)])
    },

    async wakeAll() {
      if (canBeWoken) await commands.send('PUBLISH', [WAKE_CHANNEL, ''])
      else wake.tell(undefined)
    },

    async scan(visit) {
      let cursor = '0'
      do {
        const page = await commands.send('HSCAN', [JOBS_KEY, cursor, 'COUNT', String(SCAN_BATCH)])
        const [next, entries] = Array.isArray(page) ? page : ['0', []]
        cursor = String(next)
        await visit(pairs(strings(entries)).flatMap(([, text]) => toStored(text)))
      } while (cursor !== '0')
    },

    survey: (at) => surveyRedis(commands, at),
    heartbeat: upkeep.heartbeat,
    mend: upkeep.mend,
    restore: mending.restore,

    onWake: (listener) => wake.add(listener),

    async close() {
      commands.close()
      subscription.close()
    },
  }
}
