import type { ParticipantKey } from '../delegation/life/record.ts'
import { batchesOf } from '../lib/batches.ts'
import type { CancellationSignal } from '../lib/cancellation.ts'
import { ExpiringCache } from '../lib/expiring-cache.ts'
import type { RoomService } from '../livekit/room-service.ts'
import type { Logger } from '../log.ts'
import type { OwnHomeserver } from '../matrix/own-homeserver.ts'
import { createDoubts } from './doubts.ts'
import type { Expulsion } from './expulsion.ts'
import { refreshedUntil, rememberUntil } from './refreshed-tokens.ts'
import { createRoomCheck, type Verdict } from './room-check.ts'
import { type Admission, type AdmissionStore, nameOf } from './store/admissions.ts'

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
  enforce(matrixRoom: string, signal: CancellationSignal): Promise<boolean>
  /** Notes that a participant is connected, so that the SFU is asked about them first. */
  noteConnected(key: ParticipantKey): void
}

const RENEWAL_MS = 3_600_000
const RENEWALS_AT_ONCE = 4
const MAX_REMEMBERED = 10_000

/** Creates {@link RoomEnforcer}. */
export function createRoomEnforcer(options: RoomEnforcerOptions): RoomEnforcer {
  const { store, homeserver, serverName, rooms, expulsion, intervalMs, now, logger } = options
  /** Participants who were connected when last asked about. */
  const connected = new ExpiringCache<true>({ maxEntries: MAX_REMEMBERED, now })
  /** Matrix rooms whose LiveKit rooms were closed. */
  const closed = new ExpiringCache<true>({ maxEntries: MAX_REMEMBERED, now })
  const checkRoom = createRoomCheck({ homeserver, serverName, findParticipant })
  const doubts = createDoubts(logger)

  function noteConnected(key: ParticipantKey): void {
    connected.put(nameOf(key), true, RENEWAL_MS)
  }

  async function findParticipant(room: string, identity: string, signal: CancellationSignal) {
    const presence = await rooms.findParticipant(room, identity, signal)
    if (presence.kind === 'present') noteConnected({ room, identity })
    if (presence.kind === 'absent') connected.delete(nameOf({ room, identity }))
    return presence
  }

  function connectedFirst(admitted: readonly Admission[]): readonly Admission[] {
    const rank = (admission: Admission) => Number(!connected.has(nameOf(admission)))
    return admitted.toSorted((a, b) => rank(a) - rank(b))
  }

  async function renewOne(admission: Admission, until: number, signal: CancellationSignal) {
    const { room, identity } = admission
    const { kind } = await findParticipant(room, identity, signal)
    if (kind === 'absent') return
    await rememberUntil(store, admission, until + RENEWAL_MS, now())
  }

  /** Remembers the connected for longer whose tokens expire soon. */
  async function renew(admitted: readonly Admission[], signal: CancellationSignal): Promise<void> {
    const soon = refreshedUntil(now(), intervalMs)
    const ending = admitted.filter(({ expiresAt }) => expiresAt < soon)
    for (const few of batchesOf(ending, RENEWALS_AT_ONCE)) {
      await Promise.all(few.map((admission) => renewOne(admission, soon, signal)))
    }
  }

  /**
   * Closes the LiveKit rooms once. Whoever comes back with an old token is put out alone then, and does
   * not end a call that others have begun there meanwhile.
   */
  async function leave(
    matrixRoom: string,
    admitted: readonly Admission[],
    signal: CancellationSignal,
  ) {
    if (closed.has(matrixRoom)) return expulsion.expel(admitted, signal)
    await renew(admitted, signal)
    const isDone = await expulsion.closeRooms(admitted, signal)
    if (isDone) closed.put(matrixRoom, true, RENEWAL_MS)
    return isDone
  }

  return {
    noteConnected,

    async enforce(matrixRoom, signal) {
      const admitted = connectedFirst(await store.admissionsIn(matrixRoom, now()))
      const verdict: Verdict =
        admitted.length === 0 ? { kind: 'empty' } : await checkRoom(matrixRoom, admitted, signal)
      if (verdict.kind === 'doubt') doubts.note(matrixRoom, verdict.trouble)
      else doubts.clear(matrixRoom)
      switch (verdict.kind) {
        case 'empty':
          return true
        case 'doubt':
          await renew(admitted, signal)
          return false
        case 'left':
          return leave(matrixRoom, admitted, signal)
        case 'checked': {
          closed.delete(matrixRoom)
          const { gone } = verdict
          const isDone = await expulsion.expel(gone, signal)
          const members = admitted.filter((admission) => !gone.includes(admission))
          await renew(members, signal)
          return isDone
        }
      }
    },
  }
}
