import {
  CreateRoomRequest,
  DeleteRoomRequest,
  DeleteRoomResponse,
  ListRoomsRequest,
  ListRoomsResponse,
  ParticipantInfo,
  RemoveParticipantResponse,
  Room,
  RoomParticipantIdentity,
} from '@livekit/protocol'
import type { RequiredGrant } from './sfu-grants.ts'

/** A decoded request of the room service. */
export type RoomServiceMessage =
  | CreateRoomRequest
  | DeleteRoomRequest
  | ListRoomsRequest
  | RoomParticipantIdentity

/** Something that can be sent as a Twirp response. */
export interface Encodable {
  toBinary(): Uint8Array
}

/** One method, told how to read its request and what to do with it. */
export interface RoomServiceCall {
  readonly message: RoomServiceMessage
  readonly grant: RequiredGrant
  /** @throws {NotFoundError} */
  run(): Encodable
}

/** The room or participant is not there. */
export class NotFoundError extends Error {
  readonly code = 'not_found'
}

/** Rooms and who is connected to them. */
export interface RoomState {
  readonly rooms: Map<string, Room>
  /** IDs of the connections, by LiveKit room and identity. */
  readonly participants: Map<string, Map<string, string>>
}

function createRoom(state: RoomState, request: CreateRoomRequest): Room {
  const existing = state.rooms.get(request.name)
  if (existing !== undefined) return existing
  const room = new Room({
    sid: `RM_${state.rooms.size + 1}`,
    name: request.name,
    emptyTimeout: request.emptyTimeout,
    departureTimeout: request.departureTimeout,
    maxParticipants: request.maxParticipants,
    creationTime: BigInt(Math.floor(Date.now() / 1000)),
  })
  state.rooms.set(request.name, room)
  return room
}

/** Gives the ID of the connection. */
function requireParticipant(state: RoomState, { room, identity }: RoomParticipantIdentity): string {
  const sid = state.participants.get(room)?.get(identity)
  if (sid === undefined) throw new NotFoundError('participant does not exist')
  return sid
}

function deleteRoom(state: RoomState, { room }: DeleteRoomRequest): DeleteRoomResponse {
  if (!state.rooms.delete(room)) throw new NotFoundError('requested room does not exist')
  state.participants.delete(room)
  return new DeleteRoomResponse()
}

function listRooms(state: RoomState, { names }: ListRoomsRequest): ListRoomsResponse {
  const rooms = [...state.rooms.values()]
  return new ListRoomsResponse({
    rooms: names.length === 0 ? rooms : rooms.filter((room) => names.includes(room.name)),
  })
}

/** Reads the request of a method; nothing for a method that the stand-in does not know. */
export function readCall(
  state: RoomState,
  method: string,
  body: Uint8Array,
): RoomServiceCall | undefined {
  if (method === 'CreateRoom') {
    const message = CreateRoomRequest.fromBinary(body)
    return { message, grant: { kind: 'roomCreate' }, run: () => createRoom(state, message) }
  }
  if (method === 'DeleteRoom') {
    const message = DeleteRoomRequest.fromBinary(body)
    return { message, grant: { kind: 'roomCreate' }, run: () => deleteRoom(state, message) }
  }
  if (method === 'ListRooms') {
    const message = ListRoomsRequest.fromBinary(body)
    return { message, grant: { kind: 'roomList' }, run: () => listRooms(state, message) }
  }
  if (method !== 'GetParticipant' && method !== 'RemoveParticipant') return undefined

  const message = RoomParticipantIdentity.fromBinary(body)
  const grant = { kind: 'roomAdmin', room: message.room } as const
  if (method === 'GetParticipant') {
    return {
      message,
      grant,
      run() {
        const sid = requireParticipant(state, message)
        return new ParticipantInfo({ sid, identity: message.identity })
      },
    }
  }
  return {
    message,
    grant,
    run() {
      requireParticipant(state, message)
      state.participants.get(message.room)?.delete(message.identity)
      return new RemoveParticipantResponse()
    },
  }
}
