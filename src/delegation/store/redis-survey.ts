import type { RedisConnection } from './redis-connection.ts'
import { DUE_KEY, JOBS_KEY } from './redis-keys.ts'
import { strings, toStored } from './redis-records.ts'
import type { Survey } from './store.ts'
import { SAMPLE_SIZE, statesOf } from './survey.ts'

/**
 * Counts what is in Redis.
 *
 * @throws {StoreUnavailable} when there is no usable answer
 */
export async function surveyRedis(
  connection: Pick<RedisConnection, 'send'>,
  now: number,
): Promise<Survey> {
  const total = Number(await connection.send('HLEN', [JOBS_KEY]))
  const due = Number(await connection.send('ZCOUNT', [DUE_KEY, '-inf', String(now)]))
  // A newer protocol gives pairs in lists of their own.
  const first = [await connection.send('ZRANGE', [DUE_KEY, '0', '0', 'WITHSCORES'])].flat(2)
  const sample = await connection.send('HRANDFIELD', [JOBS_KEY, String(SAMPLE_SIZE), 'WITHVALUES'])
  const [, firstDueAt] = strings(first)
  const found = [sample].flat(2).flatMap(toStored)
  return {
    total,
    due,
    firstDueAt: firstDueAt === undefined ? undefined : Number(firstDueAt),
    byState: statesOf(found, total),
  }
}
