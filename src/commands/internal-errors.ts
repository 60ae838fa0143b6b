import type { Logger } from '../log.ts'

const MAX_FRAMES = 5

/** The stack without the message, which may hold a secret. */
function framesOf(error: unknown): readonly string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const frames = stack.split('\n').filter((line) => /^\s*at /.test(line))
  return frames.slice(0, MAX_FRAMES).map((line) => line.trim())
}

/**
 * Logs uncaught errors and keeps the process running: one broken request must not end everybody's calls.
 */
export function reportInternalErrors(logger: Logger): void {
  function report(error: unknown): void {
    const cause = error instanceof Error ? error.name : typeof error
    logger.error('internal error: please report this line', { cause, at: framesOf(error) })
  }
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
}
