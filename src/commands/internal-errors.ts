import type { Logger } from '../log.ts'

const MAX_FRAMES = 5

/** Where it happened; the message is left out, since it may hold a secret. */
function framesOf(error: unknown): readonly string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : ''
  const frames = stack.split('\n').filter((line) => /^\s*at /.test(line))
  return frames.slice(0, MAX_FRAMES).map((line) => line.trim())
}

/**
 * Logs what should never happen, and lets the process go on: one request must not end the calls of
 * all others.
 */
export function reportInternalErrors(logger: Logger): void {
  function report(error: unknown): void {
    const cause = error instanceof Error ? error.name : typeof error
    logger.error('internal error: please report this line', { cause, at: framesOf(error) })
  }
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
}
