import type { RedisConnection } from './redis-connection.ts'
import { DUE_KEY, JOBS_KEY } from './redis-keys.ts'
import { strings, toStored } from './redis-records.ts'
import type { Stored, Survey } from './store.ts'
import { SAMPLE_SIZE, statesOf } from './survey.ts'

type Connection = Pick<RedisConnection, 'send'>

const DRAWS = 5

async function draw(connection: Connection, count: number): Promise<Stored[]> {
  const reply = await connection.send('HRANDFIELD', [JOBS_KEY, String(count), 'WITHVALUES'])
  // A newer protocol gives pairs in lists of their own.
  return [reply].flat(2).flatMap(toStored)
}

/** Reads a sample in several parts, between which requests get their turn. */
async function sample(connection: Connection, total: number): Promise<readonly Stored[]> {
  if (total <= SAMPLE_SIZE) return draw(connection, SAMPLE_SIZE)
  const drawn: Stored[] = []
  for (let i = 0; i < DRAWS; i += 1) drawn.push(...(await draw(connection, SAMPLE_SIZE / DRAWS)))
  return drawn
}

/**
 * Counts what is in Redis.
 *
 * @throws {StoreUnavailable} when there is no usable answer
 */
export async function surveyRedis(connection: Connection, now: number): Promise<Survey> {
  const total = Number(await connection.send('HLEN', [JOBS_KEY]))
  const due = Number(await connection.send('ZCOUNT', [DUE_KEY, '-inf', String(now)]))
  const first = [await connection.send('ZRANGE', [DUE_KEY, '0', '0', 'WITHSCORES'])].flat(2)
  const [, firstDueAt] = strings(first)
  return {
    total,
    due,
    firstDueAt: firstDueAt === undefined ? undefined : Number(firstDueAt),
    byState: statesOf(await sample(connection, total), total),
  }
}
