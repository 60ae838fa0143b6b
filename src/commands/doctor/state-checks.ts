import { closeSync, existsSync, openSync, readSync } from 'node:fs'
import type { Config } from '../../config.ts'
import { headerTrouble } from '../../delegation/store/sqlite-database.ts'
import { stateFileObstacle } from '../../delegation/store/state-file.ts'
import type { StoreCode } from '../../delegation/store/store.ts'
import type { Trouble } from '../../trouble.ts'
import { checkRedis, type RedisCheckParts } from './redis-checks.ts'
import type { Report } from './report.ts'

const HEADER_BYTES = 100

function beginningOf(path: string): Buffer {
  const file = openSync(path, 'r')
  const bytes = Buffer.alloc(HEADER_BYTES)
  const length = readSync(file, bytes)
  closeSync(file)
  return bytes.subarray(0, length)
}

/** What is wrong with the file; the service may have it open, so only its first bytes are read. */
function fileTrouble(path: string): Trouble<StoreCode> | undefined {
  // Opening a pipe would wait for somebody who writes.
  const obstacle = stateFileObstacle(path)
  if (obstacle !== undefined) return { code: 'store.file-unusable', found: obstacle }
  if (!existsSync(path)) return undefined
  return headerTrouble(path, beginningOf(path))
}

function checkFile(path: string, report: Report): void {
  const trouble = fileTrouble(path)
  if (trouble === undefined) {
    report.ok('state', `${path} can be written; one replica, and the state survives a restart`)
  } else {
    report.problem('state', trouble)
  }
}

/** Checks where delegations are kept. */
export async function checkState(
  { state }: Config,
  parts: Omit<RedisCheckParts, 'url'>,
): Promise<void> {
  const { report } = parts
  if (state.kind === 'redis') return checkRedis({ ...parts, url: state.url })
  if (state.kind === 'file') return checkFile(state.path, report)
  report.ok('state', 'in memory: one replica, and a restart forgets delegated leave events')
}
