import type { Writable } from 'node:stream'
import type { LogLevel } from './log.ts'

/** Where log lines go. */
export interface LogOutput {
  /**
   * Writes a line, in order. A line of level `debug` or `info` may be held back for {@link HOLD_MS},
   * so that one write takes many; `warn` and `error` are written at once, with what came before. The
   * line is dropped while whoever reads the log stands still.
   */
  write(line: string, level: LogLevel): void
  /** Hands the lines that are held back to the stream; all that can be done when the process exits. */
  release(): void
  /**
   * Resolves when everything is written, when nothing has been for `patienceMs`, or after `limitMs`. The
   * end of the process would cut off what the stream still holds.
   */
  flush(patienceMs: number, limitMs: number): Promise<void>
}

/** Settings of {@link createLogOutput}. */
export interface LogOutputOptions {
  /** Such as standard output. */
  readonly stream: Pick<Writable, 'write'>
  /** How much may wait for whoever reads the log, lines that are held back included. */
  readonly maxPendingBytes: number
  /** The log is read again: says how many lines were dropped meanwhile. */
  readonly onResume: (droppedLines: number) => void
}

/** No reader of a log notices; under load, one write takes dozens of lines. */
export const HOLD_MS = 20
/** So small that a slow reader can be seen to make progress. */
const MAX_HELD_BYTES = 16 * 1024

/**
 * Makes an output whose reader can neither hold the service up by standing still, nor fill its memory:
 * the stream itself would keep whatever is not read. After one line is dropped, so are all others until
 * what waits is read, so that the log has one gap, told in one line, rather than many.
 */
export function createLogOutput(options: LogOutputOptions): LogOutput {
  const { stream, maxPendingBytes, onResume } = options
  let held = ''
  let heldBytes = 0
  let holding: ReturnType<typeof setTimeout> | undefined
  /** Held back, or in the stream. */
  let pendingBytes = 0
  let droppedLines = 0
  let progress = Promise.withResolvers<void>()

  function tellDropped(): void {
    const count = droppedLines
    droppedLines = 0
    if (count > 0) onResume(count)
  }

  function release(): void {
    clearTimeout(holding)
    holding = undefined
    if (held === '') return
    const lines = held
    const bytes = heldBytes
    held = ''
    heldBytes = 0
    stream.write(lines, function written() {
      pendingBytes -= bytes
      if (pendingBytes === 0) tellDropped()
      progress.resolve()
    })
  }

  return {
    write(line, level) {
      const bytes = Buffer.byteLength(line)
      if (droppedLines > 0 || pendingBytes + bytes > maxPendingBytes) {
        droppedLines += 1
        return
      }
      pendingBytes += bytes
      held += line
      heldBytes += bytes
      if (level === 'warn' || level === 'error' || heldBytes >= MAX_HELD_BYTES) return release()
      holding ??= setTimeout(release, HOLD_MS)
    },

    release,

    async flush(patienceMs, limitMs) {
      const endsAt = performance.now() + limitMs
      release()
      while (pendingBytes > 0) {
        progress = Promise.withResolvers()
        const moving = progress.promise.then(() => true)
        const waitMs = Math.min(patienceMs, endsAt - performance.now())
        if (!(await Promise.race([moving, Bun.sleep(Math.max(0, waitMs)).then(() => false)])))
          return
        release()
      }
    },
  }
}
