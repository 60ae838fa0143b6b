import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openRedisStore } from '../../../src/delegation/store/redis-store.ts'
import { SqliteStore } from '../../../src/delegation/store/sqlite-store.ts'
import type { DelegationStore } from '../../../src/delegation/store/store.ts'
import { startRedisServer } from '../../support/redis-server.ts'

/** What holds the delegations of one measured service. */
export interface Engine {
  readonly name: string
  /** Settings of the service. */
  readonly env: Readonly<Record<string, string>>
  /** What the engine uses outside of the service: bytes of memory and milliseconds of CPU. */
  usage(): Promise<{ readonly bytes: number; readonly cpuMs: number }>
  /** Forgets everything; no service may be running. */
  reset(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** An engine whose data can be written and read without a service. */
export interface LastingEngine extends Engine {
  openStore(): Promise<DelegationStore>
}

const nothing = { bytes: 0, cpuMs: 0 }

/** SQLite in the memory of the service. */
export function sqliteInMemory(): Engine {
  return {
    name: 'SQLite, memory',
    env: {},
    usage: async () => nothing,
    async reset() {},
    async [Symbol.asyncDispose]() {},
  }
}

/** SQLite in a file. */
export function sqliteFile(folder: string): LastingEngine {
  const path = join(folder, 'state.sqlite')
  async function reset(): Promise<void> {
    for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true })
  }
  return {
    name: 'SQLite, file',
    env: { LIVEKIT_STATE_FILE: path },
    usage: async () => nothing,
    openStore: async () => new SqliteStore(path),
    reset,
    [Symbol.asyncDispose]: reset,
  }
}

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
}

/** A Redis of its own, that keeps nothing on disk. */
export async function redis(): Promise<LastingEngine> {
  const server = await startRedisServer()
  return {
    name: 'Redis',
    env: { LIVEKIT_REDIS_URL: server.url },
    async usage() {
      const info = String(await server.run('INFO'))
      const cpuSeconds = numberIn(info, 'used_cpu_sys') + numberIn(info, 'used_cpu_user')
      return { bytes: numberIn(info, 'used_memory'), cpuMs: cpuSeconds * 1_000 }
    },
    openStore: () =>
      openRedisStore({
        url: server.url,
        now: Date.now,
        newGeneration: () => crypto.randomUUID(),
        onChange() {},
      }),
    async reset() {
      await server.run('FLUSHALL')
    },
    [Symbol.asyncDispose]: () => server.close(),
  }
}
