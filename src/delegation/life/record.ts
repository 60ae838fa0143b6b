/** Names one participant: the LiveKit room and the identity in it. */
export interface ParticipantKey {
  /** Name of the LiveKit room. */
  readonly room: string
  readonly identity: string
}

/** What every delegation holds, whatever its state. All times are milliseconds since the epoch. */
interface Base extends ParticipantKey {
  /** Unique ID of this delegation; an earlier or later one of the same participant has another. */
  readonly generation: string
  /** Server name of the user's homeserver. */
  readonly serverName: string
  /** The user ID; missing in entries that lk-jwt-service wrote. */
  readonly userId?: string
  /** Base URL of the homeserver's client API at acceptance; missing where it was not known. */
  readonly clientApiUrl?: string
  /** Whether the service acts on the event as an application service, for the user. */
  readonly isVouched?: boolean
  /** Secret: anyone who knows it can act on the delayed event. */
  readonly delayId: string
  readonly delayMs: number
  readonly acceptedAt: number
  /** When the homeserver sends the event by itself. */
  readonly deadlineAt: number
  /** Failed attempts in a row. */
  readonly failures: number
}

/** The participant is expected on the SFU. */
export interface Waiting extends Base {
  readonly state: 'waiting'
  readonly waitUntil: number
  readonly checkAt: number
  /** When the SFU first said "absent"; reset when a webhook suggests that the participant came. */
  readonly absentSince?: number
  /** Adopted entries only, until the SFU has answered: when to restart the event. */
  readonly restartAt?: number
}

/** The participant is on the SFU, and the event is restarted regularly. */
export interface Connected extends Base {
  readonly state: 'connected'
  readonly connectedAt: number
  /** The SFU's ID of the connection, where it is known. */
  readonly participantId?: string
  readonly restartAt: number
  readonly checkAt: number
  /** How many checks of presence have failed in a row. */
  readonly checkFailures: number
  /** When the SFU first said "absent"; a second look confirms it before a leave is sent. */
  readonly absentSince?: number
  /** When the SFU last reported that a connection was replaced by another. */
  readonly replacedAt?: number
}

/** The participant has left: the event is to be sent. */
export interface Leaving extends Base {
  readonly state: 'leaving'
  /** The SFU's ID of the connection that ended, where it is known. */
  readonly participantId?: string
  readonly giveUpAt: number
  readonly sendAt: number
  /** Set after a failed attempt: check presence before the next one. */
  readonly lookAgain?: boolean
}

/**
 * A delayed leave event that the service has taken over for one participant. There is one for each LiveKit
 * room and identity; a new one takes the place of the old one.
 *
 * A client that restarts the event itself must choose between short delays, which cost requests and end calls
 * on bad networks, and long ones, after which a crashed client stays listed in the call. One that hands it
 * over chooses a long delay: the service restarts the event while the SFU knows the participant, and sends it
 * when the SFU says that the participant is gone.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export type Delegation = Waiting | Connected | Leaving

/** Whether a decision made for `one` is still valid for `other`: same delegation, same state. */
export function isSameStage(one: Delegation, other: Delegation): boolean {
  return one.generation === other.generation && one.state === other.state
}

/** When a delegation needs its next action. */
export function dueAt(delegation: Delegation): number {
  switch (delegation.state) {
    case 'waiting':
      return Math.min(
        delegation.checkAt,
        delegation.waitUntil,
        delegation.restartAt ?? Number.POSITIVE_INFINITY,
      )
    case 'connected':
      return Math.min(delegation.restartAt, delegation.checkAt, delegation.deadlineAt)
    case 'leaving':
      return Math.min(delegation.sendAt, delegation.giveUpAt)
  }
}

/** The latest time at which an action for a delegation is still useful. */
export function deadlineOf(delegation: Delegation): number {
  switch (delegation.state) {
    case 'waiting':
      return delegation.waitUntil
    case 'connected':
      return delegation.deadlineAt
    case 'leaving':
      return delegation.giveUpAt
  }
}
