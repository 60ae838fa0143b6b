import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readdir, readlink, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import { StoreUnavailable } from '../../src/delegation/store/store.ts'
import type { Trouble } from '../../src/trouble.ts'
import { connected, NOW, waiting } from '../support/delegations.ts'
import { runScript } from '../support/script-process.ts'
import { everythingIn, read } from '../support/stores.ts'
import { until } from '../support/until.ts'

let directory = ''
let path = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'test-sqlite-'))
  path = join(directory, 'state.sqlite')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

function troubleOfOpening(file: string): Trouble | undefined {
  try {
    new SqliteStore(file)
  } catch (error) {
    if (error instanceof StoreUnavailable) return error.trouble
    throw error
  }
  return undefined
}

async function openFiles(): Promise<string[]> {
  const links = (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`))
  const files = await Promise.all(links.map((link) => link.catch(() => '')))
  return files.filter((file) => file.startsWith(directory))
}

test('keeps delegations, due times and leases when the file is reopened', async () => {
  const store = new SqliteStore(path)
  await store.put(waiting({ identity: 'leased', checkAt: NOW }))
  await store.claimDue(NOW, 1, 10_000)
  await store.put(connected({ identity: 'connected', checkAt: NOW + 100 }))
  await store.close()
  expect(await openFiles()).toEqual([])

  const again = new SqliteStore(path)
  expect((await read(again, { room: 'room', identity: 'connected' })).delegation).toEqual(
    connected({ identity: 'connected', checkAt: NOW + 100 }),
  )
  const { claimed, nextDueAt } = await again.claimDue(NOW + 100, 10, 10_000)
  expect(claimed.map(({ delegation }) => delegation.identity)).toEqual(['connected'])
  expect(nextDueAt).toBe(NOW + 1_200)
  await again.close()
})

test('keeps what a process wrote before it was killed', async () => {
  const writer = runScript(
    `import { SqliteStore } from '#src/delegation/store/sqlite-store.ts'
     const store = new SqliteStore(process.env.FILE)
     for (let count = 0; ; count += 1) {
       const identity = 'identity ' + count
       await store.put({ ...JSON.parse(process.env.DELEGATION), identity })
       process.stdout.write(identity + '\\n')
     }`,
    { FILE: path, DELEGATION: JSON.stringify(waiting()) },
  )
  await until(() => writer.output().includes('identity 500\n'))
  await writer.kill()
  const told = writer.output().split('\n').slice(0, -1)

  const store = new SqliteStore(path)
  const identities = (await everythingIn(store)).map(({ delegation }) => delegation.identity)
  expect(told.length).toBeGreaterThan(500)
  expect(identities.slice(0, told.length)).toEqual(told)
  await store.close()
  const database = new Database(path)
  expect(database.query('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  database.close()
})

test('several processes can share a file', async () => {
  new SqliteStore(path).close()
  const claimer = `
    import { SqliteStore } from '#src/delegation/store/sqlite-store.ts'
    const store = new SqliteStore(process.env.FILE)
    const claimed = []
    for (let empty = 0; empty < 50; ) {
      const claim = await store.claimDue(${NOW}, 3, 10_000)
      claimed.push(...claim.claimed.map(({ delegation }) => delegation.identity))
      empty = claim.claimed.length === 0 ? empty + 1 : 0
      await Bun.sleep(1)
    }
    process.stdout.write(JSON.stringify(claimed))`
  const store = new SqliteStore(path)
  const all = Array.from({ length: 600 }, (_, index) => `identity ${index}`)
  for (const identity of all) await store.put(waiting({ identity, checkAt: NOW }))
  const claimers = [1, 2, 3].map(() => runScript(claimer, { FILE: path }))
  expect(await Promise.all(claimers.map(({ exited }) => exited))).toEqual([0, 0, 0])
  const claims = claimers.map((process): string[] => JSON.parse(process.output()))
  expect(claims.flat().sort()).toEqual(all.sort())
  await store.close()
})

test('refuses a file of a later version and leaves it unchanged', async () => {
  const store = new SqliteStore(path)
  await store.put(waiting())
  await store.close()
  const database = new Database(path)
  database.run('PRAGMA user_version = 3')
  expect(troubleOfOpening(path)).toEqual({
    code: 'store.file-newer-version',
    found: 'the file has schema version 3, and this program knows versions up to 2',
  })
  expect(database.query('SELECT count(*) AS count FROM delegation').get()).toEqual({ count: 1 })
  database.close()
  expect(await openFiles()).toEqual([])
})

test('refuses a path without a folder, and one that is no file, and says which', async () => {
  const folder = join(directory, 'missing')
  await mkdir(path)
  for (const [file, found] of [
    [join(folder, 'state.sqlite'), `folder ${folder} does not exist`],
    [path, `${path} is no file`],
  ] as const) {
    expect(troubleOfOpening(file)).toEqual({ code: 'store.file-unusable', found })
  }
})

test('refuses a file that is not a database and leaves it unchanged', async () => {
  await writeFile(path, 'something else entirely\n'.repeat(100))
  expect(troubleOfOpening(path)).toEqual({
    code: 'store.file-no-database',
    found: `${path} is no SQLite database (SQLITE_NOTADB)`,
  })
  expect(await Bun.file(path).text()).toBe('something else entirely\n'.repeat(100))
  expect(await openFiles()).toEqual([])
})

test('refuses a database of another program', async () => {
  const other = new Database(path)
  other.run('CREATE TABLE delegation (anything TEXT)')
  other.close()
  expect(troubleOfOpening(path)).toEqual({
    code: 'store.file-failed',
    found: `${path} cannot be opened (SQLITE_ERROR)`,
  })
})

test('a file that breaks while it is open makes the store unavailable', async () => {
  const store = new SqliteStore(path)
  const other = new Database(path)
  other.run('DROP TABLE delegation')
  other.close()
  await expect(store.find(waiting())).rejects.toThrow('state store: SQLite failed (SQLITE_ERROR)')
  await expect(store.claimDue(NOW, 1, 1_000)).rejects.toThrow('state store: SQLite failed')
  await store.close()
})

test('upgrades a file of the first version with all its delegations', async () => {
  const former = new Database(path)
  former.run(`CREATE TABLE delegation (room TEXT NOT NULL, identity TEXT NOT NULL,
    due_at INTEGER NOT NULL, value TEXT NOT NULL, UNIQUE (room, identity));
    CREATE INDEX delegation_due ON delegation (due_at);
    PRAGMA user_version = 1`)
  const insert = former.prepare('INSERT INTO delegation VALUES (?, ?, ?, ?)')
  insert.run('room', waiting().identity, NOW, JSON.stringify(waiting()))
  insert.run('room', 'broken', NOW, '{"generation"')
  insert.finalize()
  former.close()
  const store = new SqliteStore(path)
  expect((await everythingIn(store)).map(({ delegation }) => delegation)).toEqual([waiting()])
  const bounds = { perUser: 100, perServer: 1 }
  const another = waiting({ identity: 'another', userId: '@another:example.org' })
  expect(await store.put(another, bounds)).toBe('server-full')
  await store.close()
})

test('removes an unreadable record without stopping the others', async () => {
  const store = new SqliteStore(path)
  await store.put(waiting({ checkAt: NOW }))
  await store.put(waiting({ identity: 'broken', checkAt: NOW - 1 }))
  const other = new Database(path)
  other.run(`UPDATE delegation SET value = '{"state":"waiting"}' WHERE identity = 'broken'`)
  other.close()
  const { claimed } = await store.claimDue(NOW, 10, 10_000)
  expect(claimed.map(({ delegation }) => delegation)).toEqual([waiting({ checkAt: NOW })])
  expect(await store.heartbeat()).toMatchObject({ needsMending: true })
  expect(await store.mend()).toEqual({ indexed: 0, adopted: 0, removed: 1 })
  expect(await store.heartbeat()).toMatchObject({ needsMending: false })
  await store.close()
})
