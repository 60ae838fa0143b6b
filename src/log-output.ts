import type { Writable } from 'node:stream'

/** Where log lines go. */
export interface LogOutput {
  /** Writes a line, in order; drops it while whoever reads the log stands still. */
  write(line: string): void
  /**
   * Resolves when everything is written, or when nothing has been for so long. The end of the process
   * would cut off what the stream still holds.
   */
  flush(patienceMs: number): Promise<void>
}

/** Settings of {@link createLogOutput}. */
export interface LogOutputOptions {
  /** Such as standard output. */
  readonly stream: Pick<Writable, 'write'>
  /** How much may wait for whoever reads the log. */
  readonly maxPendingBytes: number
  /** The log is read again: says how many lines were dropped meanwhile. */
  readonly onResume: (droppedLines: number) => void
}

/**
 * Makes an output whose reader can neither hold the service up by standing still, nor fill its memory:
 * the stream itself would keep whatever is not read. After one line is dropped, so are all others until
 * what waits is read, so that the log has one gap, told in one line, rather than many.
 */
export function createLogOutput(options: LogOutputOptions): LogOutput {
  const { stream, maxPendingBytes, onResume } = options
  let pendingBytes = 0
  let droppedLines = 0
  let progress = Promise.withResolvers<void>()

  function tellDropped(): void {
    const count = droppedLines
    droppedLines = 0
    if (count > 0) onResume(count)
  }

  return {
    write(line) {
      const bytes = Buffer.byteLength(line)
      if (droppedLines > 0 || pendingBytes + bytes > maxPendingBytes) {
        droppedLines += 1
        return
      }
      pendingBytes += bytes
      stream.write(line, function written() {
        pendingBytes -= bytes
        if (pendingBytes === 0) tellDropped()
        progress.resolve()
      })
    },

    async flush(patienceMs) {
      while (pendingBytes > 0) {
        progress = Promise.withResolvers()
        const moving = progress.promise.then(() => true)
        if (!(await Promise.race([moving, Bun.sleep(patienceMs).then(() => false)]))) return
      }
    },
  }
}
