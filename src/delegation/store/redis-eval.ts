import { createHash } from 'node:crypto'
import type { RedisConnection } from './redis-connection.ts'
import { StoreUnavailable } from './store.ts'

/** A Lua script, which Redis runs atomically. */
export interface Script {
  readonly text: string
  /** SHA-1 of the text, by which Redis knows it. */
  readonly sha: string
}

/** Makes a script of its text. */
export function toScript(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}

/**
 * Runs a script by its hash, or by its text if Redis does not know it yet.
 *
 * @throws {StoreUnavailable} when there is no usable answer
 */
export async function runScript(
  connection: Pick<RedisConnection, 'send'>,
  { text, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  const keysAndArgs = [String(keys.length), ...keys, ...args.map(String)]
  try {
    return await connection.send('EVALSHA', [sha, ...keysAndArgs])
  } catch (error) {
    if (!(error instanceof StoreUnavailable) || !error.message.endsWith('NOSCRIPT')) throw error
    return connection.send('EVAL', [text, ...keysAndArgs])
  }
}
