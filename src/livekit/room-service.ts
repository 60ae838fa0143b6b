import {
  CreateRoomRequest,
  DeleteRoomRequest,
  ListRoomsRequest,
  ListRoomsResponse,
  ParticipantInfo,
  Room,
  RoomParticipantIdentity,
} from '@livekit/protocol'
import type { CancellationSignal } from '../lib/cancellation.ts'
import type { Gate } from '../lib/gate.ts'
import type { Trouble } from '../trouble.ts'
import type { TokenSigner } from './access-token.ts'
import { createApiTokens } from './api-tokens.ts'
import { badAnswer, type SfuCode, SfuError } from './sfu-error.ts'
import { createTwirpClient, type OnTwirpCall } from './twirp.ts'

const EMPTY_TIMEOUT_SECONDS = 300
const DEPARTURE_TIMEOUT_SECONDS = 20
const REQUEST_TIMEOUT_MS = 5_000
const CHECK_TOKEN_SECONDS = 60

/** Whether a participant is on the SFU. */
export type Presence =
  | {
      readonly kind: 'present'
      /** The SFU's ID of the participant's connection. */
      readonly participantId: string
    }
  | { readonly kind: 'absent' }
  /** The SFU did not say. */
  | { readonly kind: 'unknown'; readonly trouble: Trouble<SfuCode> }

/** The part of LiveKit's room service that the service needs. */
export interface RoomService {
  /**
   * Asks for something that changes nothing.
   *
   * @throws {SfuError} when the SFU refuses or cannot be reached
   */
  check(): Promise<void>
  /**
   * Creates a LiveKit room; one that exists already is left as it is. Callers that want the same room
   * while it is being created share the one request.
   *
   * @throws {SfuError} when the SFU refuses or cannot be reached
   */
  createRoom(name: string): Promise<void>
  /** Tells whether a participant is on the SFU. */
  findParticipant(room: string, identity: string, signal: CancellationSignal): Promise<Presence>
  /**
   * Disconnects a participant; one who is not connected is no failure.
   *
   * @throws {SfuError} when the SFU refuses or cannot be reached
   */
  removeParticipant(room: string, identity: string, signal: CancellationSignal): Promise<void>
  /**
   * Closes a LiveKit room and disconnects everybody in it; a room that does not exist is no failure.
   *
   * @throws {SfuError} when the SFU refuses or cannot be reached
   */
  deleteRoom(name: string, signal: CancellationSignal): Promise<void>
}

/** How the room service is reached. */
export interface RoomServiceOptions {
  /** The SFU's URL as configured (`ws`, `wss`, `http` or `https`), path prefix included. */
  readonly sfuUrl: string
  readonly signer: TokenSigner
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly timeoutMs?: number | undefined
  readonly onCall?: OnTwirpCall | undefined
  /** Limits how many rooms are created at a time; without it, any number. */
  readonly creationGate?: Gate | undefined
}

/**
 * Base URL of the SFU's HTTP API: `ws` becomes `http`, `wss` becomes `https`, and a path prefix stays.
 */
export function sfuApiBase(sfuUrl: string): string {
  return sfuUrl.replace(/^wss:/i, 'https:').replace(/^ws:/i, 'http:').replace(/\/+$/, '')
}

/** What a message says, or `undefined` when it is none. */
function decoded<T>(decode: (bytes: Uint8Array) => T, answer: Uint8Array): T | undefined {
  try {
    return decode(answer)
  } catch {
    return undefined
  }
}

/** An answer about something else is not the SFU's, whatever it looks like. */
function expectAbout(asked: string, answered: string | undefined, at: string): void {
  if (asked !== answered) throw badAnswer(at, 'is not about what was asked for')
}

async function unlessNotFound(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof SfuError) || error.twirpCode !== 'not_found') throw error
  }
}

/**
 * Makes a client of LiveKit's room service.
 *
 * @see https://docs.livekit.io/reference/server/server-apis/
 */
export function createRoomService(options: RoomServiceOptions): RoomService {
  const { sfuUrl, signer, now, timeoutMs = REQUEST_TIMEOUT_MS } = options
  const serviceUrl = `${sfuApiBase(sfuUrl)}/twirp/livekit.RoomService`
  const call = createTwirpClient(serviceUrl, timeoutMs, options.onCall)
  const at = (method: string) => `${serviceUrl}/${method}`
  /** By room. No caller owns a creation: it has no signal but its deadline. */
  const creating = new Map<string, Promise<void>>()
  const tokens = createApiTokens(signer, now)

  async function create(name: string): Promise<void> {
    const request = new CreateRoomRequest({
      name,
      emptyTimeout: EMPTY_TIMEOUT_SECONDS,
      departureTimeout: DEPARTURE_TIMEOUT_SECONDS,
      maxParticipants: 0,
    })
    const message = request.toBinary()
    const jwt = tokens.roomCreation()
    const gate = options.creationGate
    const answer = await call({ method: 'CreateRoom', jwt, message, ...(gate && { gate }) })
    expectAbout(name, decoded((bytes) => Room.fromBinary(bytes), answer)?.name, at('CreateRoom'))
  }

  return {
    async check() {
      // One name, as all rooms of a busy SFU are more than an answer may hold.
      const message = new ListRoomsRequest({ names: ['check'] }).toBinary()
      const jwt = signer.apiToken({ roomList: true }, CHECK_TOKEN_SECONDS)
      const answer = await call({ method: 'ListRooms', jwt, message })
      if (decoded((bytes) => ListRoomsResponse.fromBinary(bytes), answer) !== undefined) return
      throw badAnswer(at('ListRooms'), 'is not a list of rooms')
    },

    createRoom(name) {
      const underWay = creating.get(name)
      if (underWay !== undefined) return underWay
      const creation: Promise<void> = create(name).finally(() => {
        if (creating.get(name) === creation) creating.delete(name)
      })
      creating.set(name, creation)
      return creation
    },

    async findParticipant(room, identity, signal) {
      const message = new RoomParticipantIdentity({ room, identity }).toBinary()
      const jwt = tokens.roomAdmin(room)
      try {
        const answer = await call({ method: 'GetParticipant', jwt, message, signal })
        const participant = decoded((bytes) => ParticipantInfo.fromBinary(bytes), answer)
        expectAbout(identity, participant?.identity, at('GetParticipant'))
        return { kind: 'present', participantId: participant?.sid ?? '' }
      } catch (error) {
        if (!(error instanceof SfuError)) throw error
        if (error.twirpCode === 'not_found') return { kind: 'absent' }
        return { kind: 'unknown', trouble: error.trouble }
      }
    },

    async removeParticipant(room, identity, signal) {
      const message = new RoomParticipantIdentity({ room, identity }).toBinary()
      const jwt = tokens.roomAdmin(room)
      await unlessNotFound(call({ method: 'RemoveParticipant', jwt, message, signal }))
    },

    async deleteRoom(name, signal) {
      // Whoever asks for the room from now on needs it created again.
      creating.delete(name)
      const message = new DeleteRoomRequest({ room: name }).toBinary()
      const jwt = tokens.roomCreation()
      await unlessNotFound(call({ method: 'DeleteRoom', jwt, message, signal }))
    },
  }
}
