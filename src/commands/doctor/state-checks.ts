import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Config } from '../../config.ts'
import { errorCode } from '../../lib/error-code.ts'
import { checkRedis } from './redis-checks.ts'
import type { Report } from './report.ts'

function whyNotWritable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return undefined
  } catch (error) {
    return `${path} is not to be read and written by user ${process.getuid?.()} (${errorCode(error)})`
  }
}

/** The service may have it open, so it is not opened. */
function checkFile(path: string, report: Report): void {
  const folder = whyNotWritable(dirname(path))
  const found = folder ?? (existsSync(path) ? whyNotWritable(path) : undefined)
  if (found === undefined) {
    report.ok('state', `${path} can be written; one replica, and the state survives a restart`)
  } else {
    report.problem('state', { code: 'store.file-unusable', found })
  }
}

/** Checks where delegations are kept. */
export async function checkState(
  { state }: Config,
  report: Report,
  now: () => number,
): Promise<void> {
  if (state.kind === 'redis') return checkRedis({ url: state.url, report, now })
  if (state.kind === 'file') return checkFile(state.path, report)
  report.ok('state', 'in memory: one replica, and a restart forgets delegated leave events')
}
