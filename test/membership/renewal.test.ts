import { expect, test } from 'bun:test'
import type { Presence } from '../../src/livekit/room-service.ts'
import { createLogger } from '../../src/log.ts'
import type { JoinedMembers } from '../../src/matrix/own-homeserver-api.ts'
import { createRoomEnforcer } from '../../src/membership/room-enforcer.ts'
import type { Admission } from '../../src/membership/store/admissions.ts'
import { SqliteAdmissions } from '../../src/membership/store/sqlite-admissions.ts'
import { admission } from '../support/admission-stores.ts'
import { NOW } from '../support/delegations.ts'

const ROOM = '!room:example.com'
const MINUTE_MS = 60_000
const PRESENT: Presence = { kind: 'present', participantId: 'PA_1' }
const ABSENT: Presence = { kind: 'absent' }

/** One room, whose clock, homeserver and SFU are steered; the interval is a minute. */
function setRoom() {
  const store = new SqliteAdmissions(':memory:')
  const state = {
    now: NOW,
    presence: new Map<string, Presence>(),
    members: { kind: 'members', userIds: new Set(['@alice:example.com']) } as JoinedMembers,
    isJoined: (_userId: string) => true,
    expelled: [] as string[],
    lookups: 0,
  }
  const enforcer = createRoomEnforcer({
    store,
    serverName: 'example.com',
    intervalMs: MINUTE_MS,
    now: () => state.now,
    logger: createLogger({ level: 'error', format: 'json', now: () => NOW, write() {} }),
    homeserver: {
      joinedMembers: async () => state.members,
      isJoined: async (_, subject) => state.isJoined('userId' in subject ? subject.userId : ''),
    },
    rooms: {
      async findParticipant(_room, identity) {
        state.lookups += 1
        return state.presence.get(identity) ?? ABSENT
      },
    },
    expulsion: {
      async expel(gone) {
        state.expelled.push(...gone.map(({ identity }) => identity))
        return true
      },
      closeRooms: async () => true,
    },
  })
  return {
    state,
    store,
    check: () => enforcer.enforce(ROOM, new AbortController().signal),
    async put(...admissions: readonly Admission[]) {
      for (const each of admissions) await store.put(each, 9_999, NOW, NOW)
    },
    async remembered() {
      const all = await store.admissionsIn(ROOM, state.now)
      return all.map(({ identity }) => identity).toSorted()
    },
  }
}

const bob = admission({ identity: 'bob', userId: '@bob:example.com' })

test('whoever stays connected is checked for as long, and removed at the end of it', async () => {
  const { state, check, put, remembered } = setRoom()
  state.members = { kind: 'members', userIds: new Set(['@alice:example.com', '@bob:example.com']) }
  await put(admission(), bob)
  state.presence.set('bob', PRESENT)
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    state.now += MINUTE_MS
    expect(await check()).toBe(true)
  }
  expect(await remembered()).toEqual(['bob'])
  state.members = { kind: 'members', userIds: new Set(['@alice:example.com']) }
  await check()
  expect(state.expelled).toEqual(['bob'])
})

test('an outage of the homeserver for hours makes nobody forgotten who is connected', async () => {
  const { state, check, put, remembered } = setRoom()
  await put(admission(), bob)
  state.presence.set('bob', PRESENT)
  const { members } = state
  state.members = { kind: 'forbidden' }
  for (let minute = 0; minute < 300; minute += 1) {
    state.now += MINUTE_MS
    await check()
  }
  expect(await remembered()).toEqual(['bob'])
  state.members = members
  await check()
  expect(state.expelled).toEqual(['bob'])
})

test('whoever leaves is remembered for as long as the last token that the SFU gave them', async () => {
  const { state, check, put, remembered } = setRoom()
  await put(admission(), bob)
  state.members = { kind: 'members', userIds: new Set(['@alice:example.com', '@bob:example.com']) }
  state.presence.set('alice', PRESENT)
  state.presence.set('bob', PRESENT)
  // Bob leaves 6 min before the end of his first token; LiveKit's last one is good for 10 min.
  for (let minute = 0; minute < 70; minute += 1) {
    state.now += MINUTE_MS
    if (minute === 53) state.presence.set('bob', ABSENT)
    await check()
  }
  expect(await remembered()).toEqual(['alice', 'bob'])
})

test('whoever is put out with their room is remembered for as long as the SFU’s last token', async () => {
  const { state, check, put, remembered } = setRoom()
  await put(admission(), bob)
  state.presence.set('bob', PRESENT)
  // A minute before the end of the first token.
  state.now += 59 * MINUTE_MS
  state.members = { kind: 'forbidden' }
  state.isJoined = () => false
  await check()
  state.presence.delete('bob')
  state.now += 9 * MINUTE_MS
  expect(await remembered()).toEqual(['bob'])
})

test('whoever was not connected is forgotten when their token expires', async () => {
  const { state, check, put, remembered } = setRoom()
  await put(admission(), bob)
  state.presence.set('alice', PRESENT)
  for (let minute = 0; minute < 60; minute += 1) {
    state.now += MINUTE_MS
    await check()
  }
  expect(await remembered()).toEqual(['alice'])
})

test('a room of 600 whose members cannot be listed is checked in time', async () => {
  const { state, check, put } = setRoom()
  const all = Array.from({ length: 600 }, (_, index) => {
    return admission({ identity: `p${index}`, userId: `@p${index}:example.com` })
  })
  await put(...all)
  for (const { identity } of all) state.presence.set(identity, PRESENT)
  state.members = { kind: 'too-many' }
  state.isJoined = (userId) => userId !== '@p599:example.com'
  await check()
  expect(state.expelled).toEqual(['p599'])
})

test('whoever is connected is asked about first at the next check', async () => {
  const { state, check, put } = setRoom()
  const all = Array.from({ length: 99 }, (_, index) => admission({ identity: `p${index}` }))
  await put(...all)
  state.presence.set('p98', PRESENT)
  await check()
  state.lookups = 0
  await check()
  expect(state.lookups).toBe(1)
})
