import { identityOf, liveKitRoom } from '../../../src/livekit/names.ts'
import { SqliteAdmissions } from '../../../src/membership/store/sqlite-admissions.ts'
import { SERVER_NAME } from '../delegations/participants.ts'

const ROOMS = 1_000
const PER_ROOM = 10
/** How many tokens are remembered. */
export const TOKENS = ROOMS * PER_ROOM
/** The default of `LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS`. */
export const INTERVAL_MS = 60_000
const LIFETIME_MS = 3_600_000 * 3

function roomOf(number: number): string {
  return `!room${number}:${SERVER_NAME}`
}

function usersOf(room: number): string[] {
  const first = room * PER_ROOM
  return Array.from({ length: PER_ROOM }, (_, index) => `@user${first + index}:${SERVER_NAME}`)
}

/** The members of a room, as the homeserver lists them. */
export function membersOf(roomId: string): Readonly<Record<string, object>> {
  const number = Number(/\d+/.exec(roomId)?.[0])
  const profile = { display_name: 'Somebody', avatar_url: 'mxc://bench.example/abcdefghijkl' }
  return Object.fromEntries(usersOf(number).map((userId) => [userId, profile]))
}

/** Writes tokens to a state file; the checks of their rooms are spread over the interval. */
export async function writeTokens(path: string): Promise<void> {
  const store = new SqliteAdmissions(path)
  const now = Date.now()
  for (let number = 0; number < ROOMS; number += 1) {
    const matrixRoom = roomOf(number)
    const room = liveKitRoom(matrixRoom, 'm.call#ROOM')
    const firstCheckAt = now + (number * INTERVAL_MS) / ROOMS
    for (const userId of usersOf(number)) {
      const identity = identityOf(userId, { form: 'vouched', memberId: 'member' })
      const token = { room, identity, matrixRoom, userId, expiresAt: now + LIFETIME_MS }
      await store.put(token, PER_ROOM, now, firstCheckAt)
    }
  }
  await store.close()
}
