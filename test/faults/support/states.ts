import { Database } from 'bun:sqlite'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startRedisServer } from '../../support/redis-server.ts'
import { startTcpProxy } from './tcp-proxy.ts'

/** Where the service keeps its state, outliving its process. */
export interface State {
  /** Settings of the service. */
  readonly env: Readonly<Record<string, string>>
  /** Blocks all writes from now on. */
  freeze(): void
  /** Goes on for processes started from now on. */
  thaw(): void
  [Symbol.asyncDispose](): Promise<void>
}

async function openFile(): Promise<State> {
  const directory = await mkdtemp(join(tmpdir(), 'test-faults-'))
  const path = join(directory, 'state.sqlite')
  let holder: Database | undefined

  function thaw(): void {
    holder?.close()
    holder = undefined
  }
  return {
    env: { LIVEKIT_STATE_FILE: path },
    freeze() {
      holder = new Database(path)
      holder.run('PRAGMA busy_timeout = 1000')
      holder.run('BEGIN IMMEDIATE')
    },
    thaw,
    async [Symbol.asyncDispose]() {
      thaw()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function openRedis(): Promise<State> {
  const server = await startRedisServer()
  const proxy = await startTcpProxy(server.port)
  return {
    env: { LIVEKIT_REDIS_URL: `redis://127.0.0.1:${proxy.port}` },
    freeze: proxy.goSilentUpwards,
    thaw: proxy.heal,
    async [Symbol.asyncDispose]() {
      await proxy.close()
      await server.close()
    },
  }
}

/** Places for state that outlives a process. */
export const states = [
  { name: 'an SQLite file', open: openFile },
  { name: 'Redis', open: openRedis },
] as const
