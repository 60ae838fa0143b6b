/**
 * What a webhook says about a connection. It may be late, out of order, or about an earlier connection
 * of the same participant.
 */
export interface ConnectionReport {
  /** For the log, such as `participant_left (CLIENT_INITIATED)`. */
  readonly cause: string
  /** The SFU's ID of the connection, if the webhook has one. */
  readonly participantId?: string | undefined
  /** End of the second in which it happened, in milliseconds since the epoch, if known. */
  readonly happenedBy?: number | undefined
  /** Latest time at which the connection can have begun, in milliseconds since the epoch, if known. */
  readonly connectedBy?: number | undefined
}

/** A participant has connected. */
export type Joined = { readonly type: 'joined' } & ConnectionReport

/** A participant's connection has ended; an `aborted` one was never fully established. */
export interface Ended extends ConnectionReport {
  readonly type: 'left' | 'aborted'
  /** Whether the client asked to leave. */
  readonly onPurpose: boolean
  /** Whether another connection of the same participant replaced it. */
  readonly replaced: boolean
}

/** Every connection to a LiveKit room has ended. */
export type RoomFinished = { readonly type: 'room-finished' } & ConnectionReport

/** One connection, or every connection to a room, has ended. */
export type Departed = Ended | RoomFinished

/** The SFU's answer about a participant. */
export type PresenceSignal =
  | { readonly type: 'present'; readonly participantId?: string | undefined }
  | { readonly type: 'absent' }
  | { readonly type: 'presence-unknown' }

/** The homeserver's answer to an attempt to restart or send the delayed event. */
export type DelayedEventOutcome =
  /** `at`: when the request was made; the full delay runs from then at the earliest. */
  | { readonly type: 'restarted'; readonly at: number }
  | { readonly type: 'sent' }
  /** The event was cancelled, sent, or never existed. */
  | { readonly type: 'event-gone' }
  | {
      readonly type: 'attempt-failed'
      readonly retryAfterMs?: number | undefined
      /** Whether the homeserver answered at all. */
      readonly answered: boolean
    }
  | { readonly type: 'client-api-unresolvable' }

/** An input of the state machine of a delegation. */
export type DelegationSignal =
  /** The time that `dueAt` names has come. */
  | { readonly type: 'due' }
  /** Webhooks may have been missed, so presence must be checked. */
  | { readonly type: 'doubt' }
  /** The user is no longer a member of the Matrix room, or the room is closed. */
  | { readonly type: 'expelled' }
  | Joined
  | Departed
  | PresenceSignal
  | DelayedEventOutcome
