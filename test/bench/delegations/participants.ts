import { identityOf, liveKitRoom } from '../../../src/livekit/names.ts'

/** Server name of all users; overrides say where it is. */
export const SERVER_NAME = 'bench.example'
/** The SFU's ID of every connection. */
export const PARTICIPANT_ID = 'PA_bench'

const DEVICE_ID = 'BENCHDEVICE'
const PER_ROOM = 10

/** As long as those of Synapse. */
export function delayIdOf(index: number): string {
  return `syd_bench_${String(index).padStart(14, '0')}`
}

/** The number in a path such as `/…/delayed_events/syd_bench_00000000000042/restart`. */
export function indexIn(path: string): number {
  return Number(/syd_bench_(\d{14})/.exec(path)?.[1])
}

function memberOf(index: number) {
  const localpart = `user${index}`
  return {
    localpart,
    userId: `@${localpart}:${SERVER_NAME}`,
    roomId: `!room${Math.floor(index / PER_ROOM)}:${SERVER_NAME}`,
    memberId: `member${index}`,
  }
}

/** LiveKit room and identity of a participant. */
export function keyOf(index: number): { readonly room: string; readonly identity: string } {
  const { userId, roomId, memberId } = memberOf(index)
  return {
    room: liveKitRoom(roomId, 'm.call#ROOM'),
    identity: identityOf(userId, { form: 'member', deviceId: DEVICE_ID, memberId }),
  }
}

/** Body of `/delegate_delayed_leave`. */
export function delegateBody(index: number, delayMs: number): string {
  const { localpart, userId, roomId, memberId } = memberOf(index)
  return JSON.stringify({
    room_id: roomId,
    slot_id: 'm.call#ROOM',
    openid_token: {
      access_token: `${localpart}.0123456789abcdef`,
      matrix_server_name: SERVER_NAME,
    },
    member: { id: memberId, claimed_user_id: userId, claimed_device_id: DEVICE_ID },
    delay_id: delayIdOf(index),
    delay_timeout: delayMs,
  })
}

/** A webhook that says that a participant has left. */
export function leftBody(index: number, now: number): string {
  const { room, identity } = keyOf(index)
  return JSON.stringify({
    event: 'participant_left',
    room: { sid: 'RM_bench', name: room },
    participant: { sid: PARTICIPANT_ID, identity, disconnectReason: 'CLIENT_INITIATED' },
    id: `EV_${index}`,
    createdAt: String(Math.floor(now / 1_000)),
  })
}
