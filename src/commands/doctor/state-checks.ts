import { accessSync, closeSync, constants, existsSync, openSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../config.ts'
import { headerTrouble } from '../../delegation/store/sqlite-database.ts'
import type { StoreCode } from '../../delegation/store/store.ts'
import { errorCode } from '../../lib/error-code.ts'
import type { Trouble } from '../../trouble.ts'
import { checkRedis, type RedisCheckParts } from './redis-checks.ts'
import type { Report } from './report.ts'

const HEADER_BYTES = 100

function whyNotWritable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return undefined
  } catch (error) {
    return `${path} is not to be read and written by user ${process.getuid?.()} (${errorCode(error)})`
  }
}

function beginningOf(path: string): Buffer {
  const file = openSync(path, 'r')
  const bytes = Buffer.alloc(HEADER_BYTES)
  const length = readSync(file, bytes)
  closeSync(file)
  return bytes.subarray(0, length)
}

/** What is wrong with the file; the service may have it open, so only its first bytes are read. */
function fileTrouble(path: string): Trouble<StoreCode> | undefined {
  const folder = whyNotWritable(dirname(path))
  if (folder !== undefined) return { code: 'store.file-unusable', found: folder }
  if (!existsSync(path)) return undefined
  const file = whyNotWritable(path)
  if (file !== undefined) return { code: 'store.file-unusable', found: file }
  // Opening a pipe waits for somebody who writes.
  if (!statSync(path).isFile()) return { code: 'store.file-unusable', found: `${path} is no file` }
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
