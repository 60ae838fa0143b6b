import type { ParticipantKey } from '../delegation/life/record.ts'
import type { CancellationSignal } from '../lib/cancellation.ts'
import type { RoomService } from '../livekit/room-service.ts'
import { SfuError } from '../livekit/sfu-error.ts'
import type { Logger } from '../log.ts'
import type { Admission } from './store/admissions.ts'

/** What an expulsion needs. */
export interface ExpulsionParts {
  readonly rooms: Pick<RoomService, 'findParticipant' | 'removeParticipant' | 'deleteRoom'>
  /** Ends the delegation of a participant, if there is one, without sending its event. */
  readonly dropDelegation: (key: ParticipantKey) => Promise<void>
  /** Called before somebody is removed who is connected. */
  readonly onPresent: (admission: Admission) => Promise<void>
  readonly logger: Logger
}

/** Takes participants off the SFU who are no longer members of the Matrix room. */
export interface Expulsion {
  /** Disconnects those who are connected; returns whether all of it succeeded. */
  expel(gone: readonly Admission[], signal: CancellationSignal): Promise<boolean>
  /** Closes the LiveKit rooms of a Matrix room; returns whether all of it succeeded. */
  closeRooms(admitted: readonly Admission[], signal: CancellationSignal): Promise<boolean>
}

/** Creates {@link Expulsion}. */
export function createExpulsion(parts: ExpulsionParts): Expulsion {
  const { rooms, dropDelegation, onPresent, logger } = parts

  /** Runs a request to the SFU; returns whether it succeeded. */
  async function attempt(what: string, key: object, request: () => Promise<void>) {
    try {
      await request()
      return true
    } catch (error) {
      if (!(error instanceof SfuError)) throw error
      logger.warn(`membership: ${what} failed, and is tried again`, {
        ...key,
        trouble: error.trouble,
      })
      return false
    }
  }

  async function expelOne(admission: Admission, signal: CancellationSignal): Promise<boolean> {
    const { room, identity } = admission
    const presence = await rooms.findParticipant(room, identity, signal)
    if (presence.kind === 'absent') return true
    await onPresent(admission)
    const remove = () => rooms.removeParticipant(room, identity, signal)
    const isRemoved = await attempt('removing a participant', { room, identity }, remove)
    if (!isRemoved) return false
    logger.info('membership: a participant was removed', { room, identity })
    // Not before: whoever is still connected, and invited again meanwhile, needs it.
    await dropDelegation({ room, identity })
    return true
  }

  async function closeOne(
    room: string,
    admitted: readonly Admission[],
    signal: CancellationSignal,
  ) {
    const isClosed = await attempt('closing a room', { room }, () => rooms.deleteRoom(room, signal))
    if (!isClosed) return false
    logger.info('membership: a room was closed', { room })
    for (const { identity } of admitted.filter((admission) => admission.room === room)) {
      await dropDelegation({ room, identity })
    }
    return true
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
