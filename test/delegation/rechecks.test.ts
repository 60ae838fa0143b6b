import { afterEach, beforeEach, expect, test } from 'bun:test'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import { StoreUnavailable } from '../../src/delegation/store/store.ts'
import type { Changes } from '../../src/delegation/work/changes.ts'
import { Rechecks } from '../../src/delegation/work/rechecks.ts'
import { connected } from '../support/delegations.ts'
import { until } from '../support/until.ts'
import { WatchedStore } from '../support/watched-store.ts'

const COUNT = 450
let store: WatchedStore
let checked: string[]
let batches: number
let busy: boolean
let bugs: unknown[]
let rechecks: Rechecks
let onChecked: () => void

beforeEach(async () => {
  store = new WatchedStore(new SqliteStore(':memory:'))
  for (let index = 0; index < COUNT; index += 1) {
    await store.put(connected({ identity: `identity ${index}` }))
  }
  checked = []
  batches = 0
  busy = false
  bugs = []
  onChecked = () => {}
  const applyTo: Changes['applyTo'] = async ({ delegation }, signal) => {
    expect(signal).toEqual({ type: 'doubt' })
    checked.push(delegation.identity)
    onChecked()
  }
  rechecks = new Rechecks({
    store,
    changes: {
      applyTo,
      applyFor: async () => {},
      applyIfUnchanged: async () => true,
      applyInState: async () => {},
    },
    onBatch: () => {
      batches += 1
    },
    isBusy: () => busy,
    onBug: (error) => bugs.push(error),
  })
})
afterEach(async () => {
  rechecks.stop()
  busy = false
  await store.close()
})

/** Calls what a worker calls in every round. */
function begin(): void {
  rechecks.startIfDue()
}

test('checks everybody at the start, and again only on request', async () => {
  begin()
  begin()
  await until(() => checked.length === COUNT)
  expect(new Set(checked).size).toBe(COUNT)
  expect(batches).toBe(3)
  begin()
  await Bun.sleep(30)
  expect(checked).toHaveLength(COUNT)
})

test('runs a recheck that is requested during another one after it', async () => {
  begin()
  await until(() => checked.length > 0)
  rechecks.request()
  begin()
  await until(() => {
    begin()
    return checked.length === 2 * COUNT
  })
  await Bun.sleep(30)
  begin()
  await Bun.sleep(30)
  expect(checked).toHaveLength(2 * COUNT)
})

test('delays the next batch while the worker is busy', async () => {
  busy = true
  begin()
  await until(() => checked.length === 200)
  await Bun.sleep(50)
  expect(checked).toHaveLength(200)
  busy = false
  await until(() => checked.length === COUNT)
})

test('stops a recheck in the middle of a batch', async () => {
  onChecked = () => {
    if (checked.length === 10) rechecks.stop()
  }
  begin()
  await until(() => checked.length >= 10)
  await Bun.sleep(50)
  expect(checked).toHaveLength(10)
})

test('restarts a recheck that the store interrupted, and reports no bug', async () => {
  store.failure = new StoreUnavailable('store.file-failed', 'gone')
  begin()
  await Bun.sleep(10)
  expect(checked).toEqual([])
  store.failure = undefined
  begin()
  await until(() => checked.length === COUNT)
  expect(bugs).toEqual([])
})

test('reports a recheck that ends with a bug, and restarts it', async () => {
  const bug = new TypeError('a bug')
  store.failure = bug
  begin()
  await until(() => bugs.length === 1)
  expect(bugs).toEqual([bug])
  store.failure = undefined
  await until(() => {
    begin()
    return checked.length === COUNT
  })
})
