import type { ParticipantKey } from '../delegation/life/record.ts'
import type { RoomService } from '../livekit/room-service.ts'
import { SfuError } from '../livekit/twirp.ts'
import type { Logger } from '../log.ts'
import type { Admission } from './store/admissions.ts'

/** What an expulsion needs. */
export interface ExpulsionParts {
  readonly rooms: Pick<RoomService, 'findParticipant' | 'removeParticipant' | 'deleteRoom'>
  /** Ends the delegation of a participant, if there is one, without sending its event. */
  readonly dropDelegation: (key: ParticipantKey) => Promise<void>
  readonly logger: Logger
}

/** Takes participants off the SFU who are no longer members of the Matrix room. */
export interface Expulsion {
  /** Disconnects those who are connected; returns whether all of it succeeded. */
  expel(gone: readonly Admission[], signal: AbortSignal): Promise<boolean>
  /** Closes the LiveKit rooms of a Matrix room; returns whether all of it succeeded. */
  closeRooms(admitted: readonly Admission[], signal: AbortSignal): Promise<boolean>
}

/** Creates {@link Expulsion}. */
export function createExpulsion({ rooms, dropDelegation, logger }: ExpulsionParts): Expulsion {
  /** Runs a request to the SFU; returns whether it succeeded. */
  async function attempt(what: string, key: object, request: () => Promise<void>) {
    try {
      await request()
      return true
    } catch (error) {
      if (!(error instanceof SfuError)) throw error
      logger.warn(`membership: ${what} failed, and is tried again`, {
        ...key,
        cause: error.message,
      })
      return false
    }
  }

  async function expelOne({ room, identity }: Admission, signal: AbortSignal): Promise<boolean> {
    const presence = await rooms.findParticipant(room, identity, signal)
    if (presence.kind === 'absent') return true
    // Before the SFU reports the departure, which would send the delayed leave.
    await dropDelegation({ room, identity })
    const remove = () => rooms.removeParticipant(room, identity, signal)
    const isRemoved = await attempt('removing a participant', { room, identity }, remove)
    if (isRemoved) logger.info('membership: a participant was removed', { room, identity })
    return isRemoved
  }

  async function closeOne(room: string, admitted: readonly Admission[], signal: AbortSignal) {
    for (const { identity } of admitted.filter((admission) => admission.room === room)) {
      await dropDelegation({ room, identity })
    }
    const isClosed = await attempt('closing a room', { room }, () => rooms.deleteRoom(room, signal))
    if (isClosed) logger.info('membership: a room was closed', { room })
    return isClosed
  }

  async function all(outcomes: readonly Promise<boolean>[]): Promise<boolean> {
    return (await Promise.all(outcomes)).every(Boolean)
  }

  return {
    expel: (gone, signal) => all(gone.map((admission) => expelOne(admission, signal))),
    closeRooms(admitted, signal) {
      const names = [...new Set(admitted.map(({ room }) => room))]
      return all(names.map((room) => closeOne(room, admitted, signal)))
    },
  }
}
