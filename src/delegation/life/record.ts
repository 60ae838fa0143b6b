/** Names one participant: the LiveKit room and the identity in it. */
export interface ParticipantKey {
  /** Name of the LiveKit room. */
  readonly room: string
  readonly identity: string
}

/** What every delegation holds, whatever its state. All times are milliseconds since the epoch. */
interface Base extends ParticipantKey {
  /** Tells this delegation from earlier and later ones of the same participant. */
  readonly generation: string
  /** Server name of the user's homeserver. */
  readonly serverName: string
  /** The user, where known: entries of other programs do not tell. */
  readonly userId?: string
  /** Base URL of the homeserver's client API when the delegation was accepted, where it was known. */
  readonly clientApiUrl?: string
  /** Whoever knows it may act on the delayed event: a secret. */
  readonly delayId: string
  readonly delayMs: number
  readonly acceptedAt: number
  /** When the homeserver sends the event by itself. */
  readonly deadlineAt: number
  /** How many attempts at the next thing to do have failed in a row. */
  readonly failures: number
}

/** The participant is expected on the SFU. */
export interface Waiting extends Base {
  readonly state: 'waiting'
  readonly waitUntil: number
  readonly checkAt: number
  /** When the SFU was first heard to say that the participant is absent, since it might have come. */
  readonly absentSince?: number
  /** Of an adopted entry, while the SFU has not said who is there: when to restart its event. */
  readonly restartAt?: number
}

/** The participant is on the SFU: the event is restarted again and again. */
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
  /** When another connection was last reported to have taken the place of one. */
  readonly replacedAt?: number
}

/** The participant has left: the event is to be sent. */
export interface Leaving extends Base {
  readonly state: 'leaving'
  /** The SFU's ID of the connection that ended, where it is known. */
  readonly participantId?: string
  readonly giveUpAt: number
  readonly sendAt: number
  /** An attempt has failed: presence is to be checked before the next one. */
  readonly lookAgain?: boolean
}

/** A delayed leave event that the service has taken over for one participant. */
export type Delegation = Waiting | Connected | Leaving

/** Tells whether what was decided for one still holds for the other, which may be later. */
export function isSameStage(one: Delegation, other: Delegation): boolean {
  return one.generation === other.generation && one.state === other.state
}

/** When something is to be done about a delegation. */
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

/** Until when something has to be done about a delegation, or else it is of no use any more. */
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
