import type { CancellationSignal } from '../lib/cancellation.ts'
import type { RoomService } from '../livekit/room-service.ts'
import type { OwnHomeserver } from '../matrix/own-homeserver.ts'
import type { MembershipAnswer, MembershipPurpose, Metrics } from '../metrics.ts'

/** Counts what our homeserver answers about members. */
export function countMembershipChecks(
  homeserver: OwnHomeserver,
  purpose: MembershipPurpose,
  metrics: Metrics,
): OwnHomeserver {
  async function counted<T>(
    signal: CancellationSignal,
    question: Promise<T>,
    labelOf: (answer: T) => MembershipAnswer,
  ): Promise<T> {
    try {
      const answer = await question
      metrics.noteMembershipCheck(purpose, labelOf(answer))
      return answer
    } catch (error) {
      // A question that was given up says nothing about the homeserver.
      if (!signal.aborted) metrics.noteMembershipCheck(purpose, 'failed')
      throw error
    }
  }

  return {
    isJoined: (roomId, subject, signal) =>
      counted(signal, homeserver.isJoined(roomId, subject, signal), (isJoined) =>
        isJoined ? 'joined' : 'not-joined',
      ),
    joinedMembers: (roomId, signal) =>
      counted(signal, homeserver.joinedMembers(roomId, signal), ({ kind }) => kind),
    relay: (request, signal) => homeserver.relay(request, signal),
  }
}

/** Counts participants taken off the SFU, and rooms closed. */
export function countRemovals(rooms: RoomService, metrics: Metrics): RoomService {
  async function counted(
    what: 'participant' | 'room',
    signal: CancellationSignal,
    removal: Promise<void>,
  ): Promise<void> {
    try {
      await removal
      metrics.noteRemoval(what, true)
    } catch (error) {
      if (!signal.aborted) metrics.noteRemoval(what, false)
      throw error
    }
  }

  return {
    ...rooms,
    removeParticipant: (room, identity, signal) =>
      counted('participant', signal, rooms.removeParticipant(room, identity, signal)),
    deleteRoom: (name, signal) => counted('room', signal, rooms.deleteRoom(name, signal)),
  }
}
