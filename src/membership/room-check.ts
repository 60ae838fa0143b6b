import { batchesOf } from '../lib/batches.ts'
import type { CancellationSignal } from '../lib/cancellation.ts'
import type { Presence } from '../livekit/room-service.ts'
import type { SfuCode } from '../livekit/sfu-error.ts'
import type { ClientApiCode } from '../matrix/client-api-location.ts'
import type { OwnHomeserver } from '../matrix/own-homeserver.ts'
import { type HomeserverCode, HomeserverFailed } from '../matrix/own-homeserver-api.ts'
import { serverNameOfUser } from '../matrix/server-name.ts'
import type { Trouble } from '../trouble.ts'
import type { Admission } from './store/admissions.ts'

/** Why it is not known who is a member. */
export type DoubtCode = MembershipCode | HomeserverCode | ClientApiCode | SfuCode

/** What a check of a Matrix room found. */
export type Verdict =
  /** Nobody is connected, so nobody was asked. */
  | { readonly kind: 'empty' }
  /** Who of those admitted is no longer a member. */
  | { readonly kind: 'checked'; readonly gone: readonly Admission[] }
  /** None of the own homeserver's users is left in the Matrix room. */
  | { readonly kind: 'left' }
  /** Nothing is certain, so nothing may be touched. */
  | { readonly kind: 'doubt'; readonly trouble: Trouble<DoubtCode> }

/** What a check asks. */
export interface RoomCheckParts {
  readonly homeserver: Pick<OwnHomeserver, 'isJoined' | 'joinedMembers'>
  /** Our homeserver's server name. */
  readonly serverName: string
  findParticipant(room: string, identity: string, signal: CancellationSignal): Promise<Presence>
}

/** How many participants of a room are looked up at a time. */
const AT_ONCE = 4

/** Why the members of a room are not known, although the homeserver answers. */
export type MembershipCode = 'membership.wrong-namespace'

const WRONG_NAMESPACE: Trouble<MembershipCode> = {
  code: 'membership.wrong-namespace',
  found: 'the homeserver lets the service see no members of a room with users of ours',
}

/** The SFU does not say who is connected. */
class PresenceUnknown extends Error {
  readonly trouble: Trouble<SfuCode>

  constructor(trouble: Trouble<SfuCode>) {
    super(trouble.found)
    this.name = 'PresenceUnknown'
    this.trouble = trouble
  }
}

/** Checks who of the participants admitted to a Matrix room is still a member. */
export type CheckRoom = (
  matrixRoom: string,
  admitted: readonly Admission[],
  signal: CancellationSignal,
) => Promise<Verdict>

/** Creates {@link CheckRoom}. */
export function createRoomCheck(parts: RoomCheckParts): CheckRoom {
  const { homeserver, serverName, findParticipant } = parts

  async function isAnyoneConnected(admitted: readonly Admission[], signal: CancellationSignal) {
    let unknown: Trouble<SfuCode> | undefined
    // Whoever comes first was connected lately, and mostly is.
    for (const few of [admitted.slice(0, 1), ...batchesOf(admitted.slice(1), AT_ONCE)]) {
      const presences = await Promise.all(
        few.map(({ room, identity }) => findParticipant(room, identity, signal)),
      )
      for (const presence of presences) {
        if (presence.kind === 'present') return true
        if (presence.kind === 'unknown') unknown = presence.trouble
      }
    }
    if (unknown === undefined) return false
    throw new PresenceUnknown(unknown)
  }

  /** For a room with too many members to be listed: asks for each user who is connected. */
  async function askForEach(
    matrixRoom: string,
    admitted: readonly Admission[],
    signal: CancellationSignal,
  ): Promise<Verdict> {
    const gone: Admission[] = []
    const joined = new Map<string, Promise<boolean>>()

    async function ask(admission: Admission): Promise<void> {
      const { room, identity, userId } = admission
      if ((await findParticipant(room, identity, signal)).kind === 'absent') return
      const answer = joined.get(userId) ?? homeserver.isJoined(matrixRoom, { userId }, signal)
      joined.set(userId, answer)
      if (!(await answer)) gone.push(admission)
    }

    for (const few of batchesOf(admitted, AT_ONCE)) await Promise.all(few.map(ask))
    return { kind: 'checked', gone }
  }

  function isOurs(userId: string): boolean {
    return serverNameOfUser(userId) === serverName
  }

  async function check(
    matrixRoom: string,
    admitted: readonly Admission[],
    signal: CancellationSignal,
  ): Promise<Verdict> {
    if (!(await isAnyoneConnected(admitted, signal))) return { kind: 'empty' }
    const members = await homeserver.joinedMembers(matrixRoom, signal)
    if (members.kind === 'too-many') return askForEach(matrixRoom, admitted, signal)
    if (members.kind === 'members' && members.userIds.values().some(isOurs)) {
      return {
        kind: 'checked',
        gone: admitted.filter(({ userId }) => !members.userIds.has(userId)),
      }
    }
    // A list without any of our users says the same as a refusal.
    const isServerJoined = await homeserver.isJoined(matrixRoom, { serverName }, signal)
    return isServerJoined ? { kind: 'doubt', trouble: WRONG_NAMESPACE } : { kind: 'left' }
  }

  return async function checkRoom(matrixRoom, admitted, signal) {
    try {
      return await check(matrixRoom, admitted, signal)
    } catch (error) {
      const isDoubt = error instanceof HomeserverFailed || error instanceof PresenceUnknown
      if (isDoubt) return { kind: 'doubt', trouble: error.trouble }
      throw error
    }
  }
}
