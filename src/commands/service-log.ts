import type { LogConfig } from '../config.ts'
import { createLogger, type Logger } from '../log.ts'
import { createLogOutput } from '../log-output.ts'

/** The log of the process, on standard output. */
export interface ServiceLog {
  readonly logger: Logger
  /**
   * Resolves when the log is written, or nobody reads it for a second.
   *
   * @param limitMs - how long a slow reader may take in all; at least a second
   */
  close(limitMs: number): Promise<void>
}

/** About 3,000 lines. */
const MAX_UNREAD_BYTES = 1024 * 1024
const PATIENCE_MS = 1_000

/**
 * Opens the log.
 *
 * @param onDropped - called with the number of lines that nobody read
 */
export function openLog(
  { level, format, isColourless }: LogConfig,
  onDropped: (lines: number) => void,
): ServiceLog {
  const { stdout } = process
  // The service outlives whoever reads its log.
  stdout.on('error', () => {})
  const output = createLogOutput({
    stream: stdout,
    maxPendingBytes: MAX_UNREAD_BYTES,
    // As an error, since it must be told at every level.
    onResume(dropped) {
      onDropped(dropped)
      logger.error('log lines were dropped: nobody read them', { dropped })
    },
  })
  process.on('exit', () => output.release())
  const logger = createLogger({
    level,
    format: format ?? (stdout.isTTY ? 'pretty' : 'json'),
    colours: stdout.isTTY && !isColourless,
    now: Date.now,
    write: output.write,
  })
  return { logger, close: (limitMs) => output.flush(PATIENCE_MS, Math.max(PATIENCE_MS, limitMs)) }
}
