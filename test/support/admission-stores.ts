import { afterAll, afterEach, beforeAll, describe } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Admission, AdmissionStore } from '../../src/membership/store/admissions.ts'
import { openRedisAdmissions } from '../../src/membership/store/redis-admissions.ts'
import { SqliteAdmissions } from '../../src/membership/store/sqlite-admissions.ts'
import { NOW } from './delegations.ts'
import { createRedisServer } from './redis-server.ts'

/** An admission of Alice that expires an hour after {@link NOW}. */
export function admission(overrides: Partial<Admission> = {}): Admission {
  return {
    room: 'room',
    identity: 'alice',
    matrixRoom: '!room:example.com',
    userId: '@alice:example.com',
    expiresAt: NOW + 3_600_000,
    ...overrides,
  }
}

interface Engine {
  readonly name: string
  start(): Promise<void>
  open(): Promise<AdmissionStore>
  reset(): Promise<unknown>
  stop(): Promise<void>
}

function inMemory(): Engine {
  let store: SqliteAdmissions | undefined
  return {
    name: 'SQLite in memory',
    async start() {},
    async open() {
      store ??= new SqliteAdmissions(':memory:')
      return store
    },
    async reset() {
      store = undefined
    },
    async stop() {},
  }
}

function inFile(): Engine {
  let directory = ''
  let count = 0
  return {
    name: 'SQLite file',
    async start() {
      directory = await mkdtemp(join(tmpdir(), 'test-admissions-'))
    },
    open: async () => new SqliteAdmissions(join(directory, `${count}.sqlite`)),
    async reset() {
      count += 1
    },
    stop: () => rm(directory, { recursive: true, force: true }),
  }
}

async function inRedis(): Promise<Engine> {
  const server = await createRedisServer()
  return {
    name: 'Redis',
    start: server.start,
    open: () => openRedisAdmissions({ url: server.url }),
    reset: () => server.run('FLUSHALL'),
    stop: server.close,
  }
}

/** Defines tests once for each engine; stores that were opened are closed after the test. */
export async function onEveryAdmissionStore(
  tests: (open: () => Promise<AdmissionStore>) => void,
): Promise<void> {
  for (const engine of [inMemory(), inFile(), await inRedis()]) {
    describe(engine.name, () => {
      const opened = new Set<AdmissionStore>()
      beforeAll(engine.start)
      afterEach(async () => {
        await Promise.all([...opened].map((store) => store.close()))
        opened.clear()
        await engine.reset()
      })
      afterAll(engine.stop)

      tests(async () => {
        const store = await engine.open()
        opened.add(store)
        return store
      })
    })
  }
}
