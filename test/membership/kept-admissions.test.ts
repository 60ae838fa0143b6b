import { expect, test } from 'bun:test'
import type { AdmissionStore } from '../../src/membership/store/admissions.ts'
import { keepAdmissions } from '../../src/membership/store/kept-admissions.ts'
import { SqliteAdmissions } from '../../src/membership/store/sqlite-admissions.ts'
import { admission } from '../support/admission-stores.ts'
import { NOW } from '../support/delegations.ts'

const ROOM = '!room:example.com'
const bob = admission({ identity: 'bob', userId: '@bob:example.com' })

/** A store that loses everything when it is told to. */
function setStore() {
  let held = new SqliteAdmissions(':memory:')
  const store: AdmissionStore = {
    put: (...args) => held.put(...args),
    forget: (...args) => held.forget(...args),
    matrixRoomOf: (...args) => held.matrixRoomOf(...args),
    admissionsIn: (...args) => held.admissionsIn(...args),
    claimDue: (...args) => held.claimDue(...args),
    claim: (...args) => held.claim(...args),
    reschedule: (...args) => held.reschedule(...args),
    close: () => held.close(),
  }
  const kept = keepAdmissions(store)
  return {
    lose() {
      held = new SqliteAdmissions(':memory:')
    },
    store: kept.store,
    refill: kept.refill,
    size: () => kept.size,
    inner: store,
  }
}

test('what was handed out is written back, and due at once', async () => {
  const { store, inner, lose, refill } = setStore()
  await store.put(admission(), 100, NOW, NOW + 60_000)
  lose()
  expect(await refill(NOW + 10)).toBe(1)
  expect(await inner.admissionsIn(ROOM, NOW)).toEqual([admission()])
  expect((await inner.claimDue(NOW + 10, 9, NOW + 1_500)).rooms).toEqual([ROOM])
})

test('what others handed out is written back when it was checked here', async () => {
  const { store, inner, lose, refill } = setStore()
  await inner.put(bob, 100, NOW, NOW)
  await store.admissionsIn(ROOM, NOW)
  lose()
  expect(await refill(NOW)).toBe(1)
  expect(await inner.admissionsIn(ROOM, NOW)).toEqual([bob])
})

test('neither expired nor refused tokens are written back', async () => {
  const { store, inner, lose, refill } = setStore()
  await store.put(admission({ identity: 'short', expiresAt: NOW + 1 }), 1, NOW, NOW)
  expect(await store.put(admission(), 1, NOW, NOW)).toBe('user-full')
  lose()
  expect(await refill(NOW + 1)).toBe(0)
  expect(await inner.admissionsIn(ROOM, NOW)).toEqual([])
})

test('expired tokens are let go, before those that were checked later', async () => {
  const { store, size } = setStore()
  await store.put(admission({ identity: 'short', expiresAt: NOW + 1_000 }), 9, NOW, NOW)
  await store.put(bob, 9, NOW, NOW)
  await store.claimDue(NOW + 999, 9, NOW + 2_000)
  expect(size()).toBe(2)
  await store.claimDue(NOW + 1_000, 9, NOW + 2_000)
  expect(size()).toBe(1)
})

test('the later expiry is written back, and a later one in the store is left', async () => {
  const { store, inner, lose, refill } = setStore()
  for (const expiresAt of [NOW + 9_000, NOW + 5_000]) {
    await store.put(admission({ expiresAt }), 100, NOW, NOW)
  }
  lose()
  await inner.put(admission({ expiresAt: NOW + 7_000 }), 100, NOW, NOW)
  await refill(NOW)
  expect(await inner.admissionsIn(ROOM, NOW)).toEqual([admission({ expiresAt: NOW + 9_000 })])
  await inner.put(admission({ expiresAt: NOW + 20_000 }), 100, NOW, NOW)
  await refill(NOW)
  expect(await inner.admissionsIn(ROOM, NOW)).toEqual([admission({ expiresAt: NOW + 20_000 })])
})

test('no more than 20,000 are kept, the latest', async () => {
  const { store, inner, lose, refill } = setStore()
  for (let index = 0; index <= 20_000; index += 1) {
    await store.put(admission({ identity: `p${index}`, userId: `@${index}:a.b` }), 1, NOW, NOW)
  }
  lose()
  expect(await refill(NOW)).toBe(20_000)
  expect(await inner.matrixRoomOf({ room: 'room', identity: 'p0' }, NOW)).toBeUndefined()
  expect(await inner.matrixRoomOf({ room: 'room', identity: 'p1' }, NOW)).toBe(ROOM)
})
