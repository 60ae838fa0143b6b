import { remedyFor } from '../catalogue/catalogue.ts'
import type { LogConfig } from '../config.ts'
import { createLogger, type Logger } from '../log.ts'
import { createLogOutput } from '../log-output.ts'

/** A log, and who reads its lines: people or programs. */
export interface FormattedLog {
  readonly logger: Logger
  readonly format: 'pretty' | 'json'
}

/** The log of the process, on standard output. */
export interface ServiceLog extends FormattedLog {
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

/** Standard output or error; the runtime leaves `isTTY` out unless it is a terminal. */
type StandardStream = { readonly isTTY?: boolean }

/** How lines look in a stream, by what the operator has chosen. */
function lookOf({ isTTY = false }: StandardStream, { format, isColourless }: LogConfig) {
  return {
    format: format ?? (isTTY ? 'pretty' : 'json'),
    colours: isTTY && !isColourless,
  } as const
}

/**
 * Opens the log.
 *
 * @param onDropped - called with the number of lines that nobody read
 */
export function openLog(config: LogConfig, onDropped: (lines: number) => void): ServiceLog {
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
  const look = lookOf(stdout, config)
  const logger = createLogger({
    ...look,
    level: config.level,
    remedyFor,
    now: Date.now,
    write: output.write,
  })
  const close = (limitMs: number) => output.flush(PATIENCE_MS, Math.max(PATIENCE_MS, limitMs))
  return { logger, format: look.format, close }
}

/** Opens a log on standard error, for what stops the start. */
export function openErrorLog(config: LogConfig): FormattedLog {
  const { stderr } = process
  const look = lookOf(stderr, config)
  const logger = createLogger({
    ...look,
    level: 'error',
    remedyFor,
    now: Date.now,
    write: (line) => stderr.write(line),
  })
  return { logger, format: look.format }
}
