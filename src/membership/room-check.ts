import type { Presence } from '../livekit/room-service.ts'
import type { OwnHomeserver } from '../matrix/own-homeserver.ts'
import { HomeserverFailed } from '../matrix/own-homeserver-api.ts'
import type { Admission } from './store/admissions.ts'

/** What a check of a Matrix room found. */
export type Verdict =
  /** Nobody is connected, so nobody was asked. */
  | { readonly kind: 'empty' }
  /** Who of those admitted is no longer a member. */
  | { readonly kind: 'checked'; readonly gone: readonly Admission[] }
  /** None of the own homeserver's users is left in the Matrix room. */
  | { readonly kind: 'left' }
  /** Nothing is certain, so nothing may be touched; `reason` is for the operator. */
  | { readonly kind: 'doubt'; readonly reason: string }

/** What a check asks. */
export interface RoomCheckParts {
  readonly homeserver: Pick<OwnHomeserver, 'isJoined' | 'joinedMembers'>
  /** Our homeserver's server name. */
  readonly serverName: string
  findParticipant(room: string, identity: string, signal: AbortSignal): Promise<Presence>
}

const WRONG_NAMESPACE =
  'the homeserver lets the service see no members: is "namespaces.users" of the registration right?'

/** Checks who of the participants admitted to a Matrix room is still a member. */
export type CheckRoom = (
  matrixRoom: string,
  admitted: readonly Admission[],
  signal: AbortSignal,
) => Promise<Verdict>

/** Creates {@link CheckRoom}. */
export function createRoomCheck(parts: RoomCheckParts): CheckRoom {
  const { homeserver, serverName, findParticipant } = parts

  async function isAnyoneConnected(admitted: readonly Admission[], signal: AbortSignal) {
    let unknown: string | undefined
    for (const { room, identity } of admitted) {
      const presence = await findParticipant(room, identity, signal)
      if (presence.kind === 'present') return true
      if (presence.kind === 'unknown') unknown = presence.reason
    }
    if (unknown !== undefined)
      throw new HomeserverFailed(`the SFU does not say who is connected: ${unknown}`)
    return false
  }

  /** For a room with too many members to be listed: asks for each user. */
  async function askForEach(
    matrixRoom: string,
    admitted: readonly Admission[],
    signal: AbortSignal,
  ): Promise<Verdict> {
    const gone: Admission[] = []
    const joined = new Map<string, boolean>()
    for (const admission of admitted) {
      const { room, identity, userId } = admission
      const presence = await findParticipant(room, identity, signal)
      if (presence.kind === 'absent') continue
      const isJoined =
        joined.get(userId) ?? (await homeserver.isJoined(matrixRoom, { userId }, signal))
      joined.set(userId, isJoined)
      if (!isJoined) gone.push(admission)
    }
    return { kind: 'checked', gone }
  }

  async function check(
    matrixRoom: string,
    admitted: readonly Admission[],
    signal: AbortSignal,
  ): Promise<Verdict> {
    if (!(await isAnyoneConnected(admitted, signal))) return { kind: 'empty' }
    const members = await homeserver.joinedMembers(matrixRoom, signal)
    if (members.kind === 'too-many') return askForEach(matrixRoom, admitted, signal)
    if (members.kind === 'members') {
      return {
        kind: 'checked',
        gone: admitted.filter(({ userId }) => !members.userIds.has(userId)),
      }
    }
    const isServerJoined = await homeserver.isJoined(matrixRoom, { serverName }, signal)
    return isServerJoined ? { kind: 'doubt', reason: WRONG_NAMESPACE } : { kind: 'left' }
  }

  return async function checkRoom(matrixRoom, admitted, signal) {
    try {
      return await check(matrixRoom, admitted, signal)
    } catch (error) {
      if (error instanceof HomeserverFailed) return { kind: 'doubt', reason: error.message }
      throw error
    }
  }
}
