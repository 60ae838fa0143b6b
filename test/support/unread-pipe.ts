import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A pipe that nobody reads until somebody wants to. */
export interface UnreadPipe extends Disposable {
  /** The end that a child process writes to. */
  readonly writeEnd: number
  /** To be called once the child has its own copy of that end. */
  closeWriteEnd(): void
  /** What is in the pipe at this moment; `undefined` at its end. */
  readNow(): string | undefined
}

const CHUNK_BYTES = 1 << 16

function makeFifo(): { readonly directory: string; readonly path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'unread-pipe-'))
  const path = join(directory, 'pipe')
  const { exitCode, stderr } = Bun.spawnSync(['mkfifo', path])
  if (exitCode !== 0) throw new Error(`mkfifo: ${stderr}`)
  return { directory, path }
}

/** Opens one. */
export function openUnreadPipe(): UnreadPipe {
  const { directory, path } = makeFifo()
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writeEnd = openSync(path, constants.O_WRONLY)
  rmSync(directory, { recursive: true })
  const chunk = Buffer.alloc(CHUNK_BYTES)
  const decoder = new TextDecoder()
  return {
    writeEnd,
    closeWriteEnd: () => closeSync(writeEnd),
    readNow() {
      try {
        const bytes = readSync(readEnd, chunk)
        return bytes === 0 ? undefined : decoder.decode(chunk.subarray(0, bytes), { stream: true })
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return ''
        throw error
      }
    },
    [Symbol.dispose]: () => closeSync(readEnd),
  }
}
