import { beforeEach, expect, test } from 'bun:test'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import { type DelegationStore, StoreUnavailable } from '../../src/delegation/store/store.ts'
import { Memory, rememberChanges } from '../../src/delegation/work/memory.ts'
import { connected, NOW } from '../support/delegations.ts'
import { read } from '../support/stores.ts'
import { WatchedStore } from '../support/watched-store.ts'

let watched: WatchedStore
let memory: Memory
let store: DelegationStore

const RESTARTED = connected({ restartAt: NOW + 24_000, deadlineAt: NOW + 30_000 })

beforeEach(() => {
  watched = new WatchedStore(new SqliteStore(':memory:'))
  memory = new Memory()
  store = rememberChanges(watched, memory)
})

function remembered() {
  return [...memory.all()]
}

test('remembers what was stored, and forgets what has ended', async () => {
  await store.put(connected())
  expect(remembered()).toEqual([connected()])
  await store.replace(await read(store, connected()), RESTARTED, 'quiet')
  expect(remembered()).toEqual([RESTARTED])
  expect(memory.unsaved).toEqual([])
  await store.replace(await read(store, connected()), undefined, 'quiet')
  expect(remembered()).toEqual([])
})

test('remembers a change that could not be stored as unsaved', async () => {
  await store.put(connected())
  const stored = await read(store, connected())
  watched.failure = new StoreUnavailable('store.file-failed', 'gone')
  await expect(store.replace(stored, RESTARTED, 'quiet')).rejects.toThrow(StoreUnavailable)
  expect(memory.unsaved).toEqual([RESTARTED])
})

test('remembers a change to what a store that was emptied meanwhile holds no more', async () => {
  await store.put(connected())
  const stored = await read(store, connected())
  await watched.replace(stored, undefined, 'quiet')
  expect(await store.replace(stored, RESTARTED, 'quiet')).toBe(false)
  expect(memory.unsaved).toEqual([RESTARTED])
})

test('never takes an earlier delegation for the one in its place', async () => {
  await store.put(connected())
  const old = await read(store, connected())
  const replacement = connected({ generation: 'g2' })
  await store.put(replacement)
  expect(await store.replace(old, RESTARTED, 'quiet')).toBe(false)
  expect(await store.replace(old, undefined, 'quiet')).toBe(false)
  expect(remembered()).toEqual([replacement])
})
