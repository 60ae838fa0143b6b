import { afterAll, afterEach, beforeAll, describe } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openRedisStore, type RedisStoreOptions } from '../../src/delegation/store/redis-store.ts'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import type { DelegationStore } from '../../src/delegation/store/store.ts'
import { NOW } from './delegations.ts'
import { createRedisServer, type RedisServer } from './redis-server.ts'

/** Stores on the same data, one for each process or replica; they are closed after the test. */
export type OpenStore = () => Promise<DelegationStore>

interface Engine {
  readonly name: string
  /** Whether several stores on the same data tell each other when something is due. */
  readonly wakesOthers: boolean
  start(): Promise<void>
  open: OpenStore
  /** Forgets all data. */
  reset(): Promise<void>
  stop(): Promise<void>
}

function sqliteInMemory(): Engine {
  let store: SqliteStore | undefined
  return {
    name: 'SQLite in memory',
    wakesOthers: true,
    async start() {},
    async open() {
      store ??= new SqliteStore(':memory:')
      return store
    },
    async reset() {
      store = undefined
    },
    async stop() {},
  }
}

function sqliteFile(): Engine {
  let directory = ''
  let count = 0
  return {
    name: 'SQLite file',
    wakesOthers: false,
    async start() {
      directory = await mkdtemp(join(tmpdir(), 'test-sqlite-'))
    },
    open: async () => new SqliteStore(join(directory, `${count}.sqlite`)),
    async reset() {
      count += 1
    },
    stop: () => rm(directory, { recursive: true, force: true }),
  }
}

function redis(): Engine {
  let server: RedisServer | undefined
  return {
    name: 'Redis',
    wakesOthers: true,
    async start() {
      server = await createRedisServer()
      await server.start()
    },
    open: () => openTestStore(server?.url ?? ''),
    async reset() {
      await server?.run('FLUSHALL')
    },
    async stop() {
      await server?.close()
    },
  }
}

/** Opens a store in Redis at {@link NOW}. */
export function openTestStore(url: string, onChange: RedisStoreOptions['onChange'] = () => {}) {
  let generations = 0
  return openRedisStore({
    url,
    now: () => NOW,
    newGeneration: () => {
      generations += 1
      return `adopted-${generations}`
    },
    onChange,
  })
}

/** Defines tests once for each engine. */
export function onEveryEngine(
  tests: (open: OpenStore, engine: Pick<Engine, 'name' | 'wakesOthers'>) => void,
): void {
  for (const engine of [sqliteInMemory(), sqliteFile(), redis()]) {
    describe(engine.name, () => {
      const opened = new Set<DelegationStore>()
      beforeAll(() => engine.start())
      afterEach(async () => {
        await Promise.all([...opened].map((store) => store.close()))
        opened.clear()
        await engine.reset()
      })
      afterAll(() => engine.stop())

      async function open(): Promise<DelegationStore> {
        const store = await engine.open()
        opened.add(store)
        return store
      }
      tests(open, engine)
    })
  }
}

/** All delegations of a store. */
export async function everythingIn(store: DelegationStore) {
  const all: Awaited<ReturnType<DelegationStore['findInRoom']>>[number][] = []
  await store.scan(async (batch) => {
    all.push(...batch)
  })
  return all
}

/** Reads what must be there. */
export async function read(store: DelegationStore, key: { room: string; identity: string }) {
  const stored = await store.find(key)
  if (stored === undefined) throw new Error(`nothing is stored for ${JSON.stringify(key)}`)
  return stored
}
