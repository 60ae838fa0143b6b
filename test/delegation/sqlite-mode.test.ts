import { afterEach, beforeEach, expect, test } from 'bun:test'
import { chmod, copyFile, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import { StoreUnavailable } from '../../src/delegation/store/store.ts'
import { waiting } from '../support/delegations.ts'

let directory = ''
let path = ''

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'test-sqlite-'))
  path = join(directory, 'state.sqlite')
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function modes(): Promise<Record<string, string>> {
  const names = (await readdir(directory)).toSorted()
  const stats = await Promise.all(names.map((name) => stat(join(directory, name))))
  return Object.fromEntries(
    names.map((name, i) => [name, ((stats[i]?.mode ?? 0) & 0o777).toString(8)]),
  )
}

test('makes the file and those beside it private, whatever their mode was', async () => {
  const all = { 'state.sqlite': '600', 'state.sqlite-shm': '600', 'state.sqlite-wal': '600' }
  const store = new SqliteStore(path)
  await store.put(waiting())
  expect(await modes()).toEqual(all)
  // As another program may have left them after a crash.
  for (const name of Object.keys(all)) {
    await copyFile(join(directory, name), join(directory, name.replace('state', 'other')))
    await chmod(join(directory, name.replace('state', 'other')), 0o644)
  }
  await store.close()
  const other = new SqliteStore(join(directory, 'other.sqlite'))
  await other.put(waiting())
  expect(await modes()).toEqual({
    'other.sqlite': '600',
    'other.sqlite-shm': '600',
    'other.sqlite-wal': '600',
    'state.sqlite': '600',
  })
  await other.close()
})

test('leaves the mode of a foreign file alone', async () => {
  await writeFile(path, 'something else entirely\n'.repeat(100), { mode: 0o644 })
  expect(() => new SqliteStore(path)).toThrow(StoreUnavailable)
  expect(await modes()).toEqual({ 'state.sqlite': '644' })
})
