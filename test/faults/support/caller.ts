import { identityOf, liveKitRoom } from '../../../src/livekit/names.ts'
import type { Sfu } from '../../support/sfu.ts'
import type { Home } from './stage.ts'

/** Where the service is reached. */
export interface Reachable {
  readonly url: string
}

/** A client of one user, and its connection to the SFU. */
export interface Caller {
  readonly room: string
  readonly identity: string
  readonly delayId: string
  /** ID of the present or last connection. */
  readonly sid: string
  /** When a connection began, as the SFU tells it. */
  connectedAt(sid: string): string
  /** Asks for a token, and delegates the delayed leave event. */
  delegate(service: Reachable): Promise<Response>
  /** Asks for a token alone. */
  askForToken(service: Reachable): Promise<Response>
  /** Connects to the SFU without a webhook; replaces an earlier connection. */
  connect(sid?: string): void
  /** Disconnects from the SFU without a webhook. */
  disconnect(): void
  /** Connects, and the SFU tells the service. */
  join(service: Reachable): Promise<Response>
  /** Disconnects, and the SFU tells the service. */
  leave(service: Reachable, disconnectReason?: string): Promise<Response>
  /** The same user, device and member with a delayed event of its own. */
  again(): Caller
}

/** What {@link createCaller} needs. */
export interface CallerOptions {
  readonly home: Home
  readonly sfu: Sfu
  readonly delayMs: number
  /** Matrix room; one of its own unless given. */
  readonly roomId?: string
}

const slotId = 'm.call#ROOM'
let made = 0

function nextNumber(): number {
  made += 1
  return made
}

/** Makes a client whose delayed leave event is scheduled now. */
export function createCaller(options: CallerOptions): Caller {
  return createNumberedCaller(options, nextNumber())
}

function createNumberedCaller(options: CallerOptions, number: number): Caller {
  const { home, sfu, delayMs } = options
  const { serverName } = home.server
  const { roomId = `!room${number}:example.com` } = options
  const userId = `@user${number}:${serverName}`
  const room = liveKitRoom(roomId, slotId)
  const identity = identityOf(userId, { form: 'member', deviceId: 'DEVICE', memberId: 'member' })
  const delayId = `delay${nextNumber()}-secret-part`
  const connections = new Map<string, number>()
  let sid = `PA_${nextNumber()}`
  home.events.schedule(delayId, delayMs)

  function post(service: Reachable, leave: object): Promise<Response> {
    const body = {
      room_id: roomId,
      slot_id: slotId,
      openid_token: {
        access_token: home.server.issueOpenIdToken(userId),
        matrix_server_name: serverName,
      },
      member: { id: 'member', claimed_user_id: userId, claimed_device_id: 'DEVICE' },
      ...leave,
    }
    return fetch(`${service.url}/get_token`, { method: 'POST', body: JSON.stringify(body) })
  }

  function report(service: Reachable, event: string, disconnectReason?: string) {
    const reason = disconnectReason === undefined ? {} : { disconnectReason }
    const participant = { identity, sid, joinedAtMs: connectedAt(sid), ...reason }
    const url = `${service.url}/sfu_webhook`
    return sfu.sendWebhook(url, { event, room: { name: room }, participant })
  }

  function connectedAt(ofSid: string): string {
    return String(connections.get(ofSid) ?? 0)
  }

  function connect(newSid = sid): void {
    sid = newSid
    connections.set(sid, Date.now())
    sfu.addParticipant(room, identity, sid)
  }

  function disconnect(): void {
    sfu.removeParticipant(room, identity)
  }

  return {
    room,
    identity,
    delayId,
    get sid() {
      return sid
    },
    delegate: (service) => post(service, { delay_id: delayId, delay_timeout: delayMs }),
    askForToken: (service) => post(service, {}),
    connectedAt,
    connect,
    disconnect,
    join(service) {
      connect()
      return report(service, 'participant_joined')
    },
    leave(service, disconnectReason) {
      disconnect()
      return report(service, 'participant_left', disconnectReason)
    },
    again: () => createNumberedCaller(options, number),
  }
}
