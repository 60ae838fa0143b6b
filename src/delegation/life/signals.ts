/**
 * What a webhook says of a connection. It may be old, out of order, or of an earlier connection of the
 * same participant.
 */
export interface ConnectionReport {
  /** For the log, such as `participant_left (CLIENT_INITIATED)`. */
  readonly cause: string
  /** The SFU's ID of the connection, where the webhook tells it. */
  readonly participantId?: string | undefined
  /** The end of the second in which it happened, in milliseconds since the epoch, where it is told. */
  readonly happenedBy?: number | undefined
  /** When the connection began at the latest, in milliseconds since the epoch, where it is told. */
  readonly connectedBy?: number | undefined
}

/** A participant has connected. */
export type Joined = { readonly type: 'joined' } & ConnectionReport

/** A participant's connection has ended; one that was `aborted` was never established for good. */
export interface Ended extends ConnectionReport {
  readonly type: 'left' | 'aborted'
  /** Whether the participant wanted to leave. */
  readonly onPurpose: boolean
  /** Whether another connection of the same participant took its place. */
  readonly replaced: boolean
}

/** Every connection to a LiveKit room has ended. */
export type RoomFinished = { readonly type: 'room-finished' } & ConnectionReport

/** A connection has ended. */
export type Departed = Ended | RoomFinished

/** What the SFU told about a participant. */
export type PresenceSignal =
  | { readonly type: 'present'; readonly participantId?: string | undefined }
  | { readonly type: 'absent' }
  | { readonly type: 'presence-unknown' }

/** What the homeserver told about the delayed event. */
export type DelayedEventOutcome =
  /** `at`: when the request was made, from which on the full delay is sure to run. */
  | { readonly type: 'restarted'; readonly at: number }
  | { readonly type: 'sent' }
  /** It is no longer there, or finalised. */
  | { readonly type: 'event-gone' }
  | {
      readonly type: 'attempt-failed'
      readonly retryAfterMs?: number | undefined
      /** Whether the homeserver answered at all. */
      readonly answered: boolean
    }
  | { readonly type: 'client-api-unresolvable' }

/** Something that a delegation has to take notice of. */
export type DelegationSignal =
  /** A time that was set has come. */
  | { readonly type: 'due' }
  /** Webhooks may have been missed: presence is to be checked. */
  | { readonly type: 'doubt' }
  | Joined
  | Departed
  | PresenceSignal
  | DelayedEventOutcome
