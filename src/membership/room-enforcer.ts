import type { ParticipantKey } from '../delegation/life/record.ts'
import { ExpiringCache } from '../lib/expiring-cache.ts'
import type { RoomService } from '../livekit/room-service.ts'
import type { Logger } from '../log.ts'
import type { OwnHomeserver } from '../matrix/own-homeserver.ts'
import type { Expulsion } from './expulsion.ts'
import { createRoomCheck } from './room-check.ts'
import type { Admission, AdmissionStore } from './store/admissions.ts'

/** Options of {@link createRoomEnforcer}. */
export interface RoomEnforcerOptions {
  readonly store: AdmissionStore
  readonly homeserver: Pick<OwnHomeserver, 'isJoined' | 'joinedMembers'>
  /** Our homeserver's server name. */
  readonly serverName: string
  readonly rooms: Pick<RoomService, 'findParticipant'>
  readonly expulsion: Expulsion
  readonly intervalMs: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly logger: Logger
}

/** Checks the members of one Matrix room, and takes off the SFU who has to go. */
export interface RoomEnforcer {
  /** Returns false when something failed that is to be tried again soon. */
  enforce(matrixRoom: string, signal: AbortSignal): Promise<boolean>
  /** Notes that a participant is connected, so that the SFU is asked about them first. */
  noteConnected(key: ParticipantKey): void
}

/** The SFU renews the tokens of the connected, so they are remembered for longer than they asked for. */
const RENEWAL_MS = 3_600_000
const MARGIN_MS = 60_000
const MAX_REMEMBERED = 10_000

function nameOf({ room, identity }: ParticipantKey): string {
  return JSON.stringify([room, identity])
}

/** Creates {@link RoomEnforcer}. */
export function createRoomEnforcer(options: RoomEnforcerOptions): RoomEnforcer {
  const { store, homeserver, serverName, rooms, expulsion, intervalMs, now, logger } = options
  /** Participants who were connected when last asked about. */
  const connected = new ExpiringCache<true>({ maxEntries: MAX_REMEMBERED, now })
  const checkRoom = createRoomCheck({ homeserver, serverName, findParticipant })
  let doubt: string | undefined

  function noteConnected(key: ParticipantKey): void {
    connected.put(nameOf(key), true, RENEWAL_MS)
  }

  async function findParticipant(room: string, identity: string, signal: AbortSignal) {
    const presence = await rooms.findParticipant(room, identity, signal)
    if (presence.kind === 'present') noteConnected({ room, identity })
    if (presence.kind === 'absent') connected.delete(nameOf({ room, identity }))
    return presence
  }

  function connectedFirst(admitted: readonly Admission[]): readonly Admission[] {
    const rank = (admission: Admission) => Number(!connected.has(nameOf(admission)))
    return admitted.toSorted((a, b) => rank(a) - rank(b))
  }

  /** Warns once for each new reason, as an outage concerns every room. */
  function noteDoubt(reason: string | undefined): void {
    if (reason === doubt) return
    if (reason !== undefined) logger.warn('membership cannot be checked', { cause: reason })
    else logger.info('membership can be checked again')
    doubt = reason
  }

  async function renew(members: readonly Admission[], signal: AbortSignal): Promise<void> {
    const soon = now() + 2 * intervalMs + MARGIN_MS
    for (const admission of members.filter(({ expiresAt }) => expiresAt < soon)) {
      const { room, identity } = admission
      const { kind } = await findParticipant(room, identity, signal)
      if (kind === 'absent') continue
      const renewed = { ...admission, expiresAt: soon + RENEWAL_MS }
      await store.put(renewed, Number.MAX_SAFE_INTEGER, now(), now() + intervalMs)
    }
  }

  return {
    noteConnected,

    async enforce(matrixRoom, signal) {
      const admitted = connectedFirst(await store.admissionsIn(matrixRoom, now()))
      if (admitted.length === 0) return true
      const verdict = await checkRoom(matrixRoom, admitted, signal)
      if (verdict.kind === 'empty') return true
      noteDoubt(verdict.kind === 'doubt' ? verdict.reason : undefined)
      switch (verdict.kind) {
        case 'doubt':
          return true
        case 'left':
          return expulsion.closeRooms(admitted, signal)
        case 'checked': {
          const isDone = await expulsion.expel(verdict.gone, signal)
          await renew(
            admitted.filter((admission) => !verdict.gone.includes(admission)),
            signal,
          )
          return isDone
        }
      }
    },
  }
}
