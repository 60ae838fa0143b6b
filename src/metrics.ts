/** What has happened so far, for whoever runs the service. No label holds a server, room or user. */
export interface Metrics {
  /** A request was answered; `outcome` is `ok` or a Matrix error code. */
  noteRequest(route: string, outcome: string, seconds: number): void
  /** A limit refused a request. */
  noteRefusal(limit: string): void
  /** An OpenID token was verified, or could not be. */
  noteVerification(server: 'named' | 'other', ending: VerificationEnding): void
  /** The SFU's API was called; `outcome` is `ok` or a code. */
  noteSfuCall(method: string, outcome: string, seconds: number): void
  /** The SFU delivered a webhook. */
  noteWebhook(event: string): void
  /** A delegation changed its state; it comes from `none`. */
  noteTransition(from: string, to: string): void
  /** A delayed event was restarted, at the homeserver or not. */
  noteRestart(outcome: 'in-time' | 'late' | 'failed'): void
  /** The store was asked. */
  noteStoreCall(operation: string, isDone: boolean, seconds: number): void
  /** Our homeserver was asked who is in a Matrix room. */
  noteMembershipCheck(purpose: MembershipPurpose, answer: MembershipAnswer): void
  /** A participant was taken off the SFU, or a room was closed; or it could not be done. */
  noteRemoval(what: 'participant' | 'room', isDone: boolean): void
  /** Log lines were dropped. */
  noteDroppedLines(count: number): void
  /** Has a gauge read at every scrape. */
  gauge(definition: GaugeDefinition): void
  /** All of it in the Prometheus text format. */
  render(): Promise<string>
  readonly contentType: string
}

/** How the verification of an OpenID token ended. */
export interface VerificationEnding {
  /** The step that decided. */
  readonly step: string
  /** `refused`: the homeserver does not know the token, which says nothing against the homeserver. */
  readonly outcome: 'ok' | 'refused' | 'failed'
  /** That of the trouble; empty when there is none. */
  readonly code: string
}

/** Why somebody asks: a token is wanted, or the participants of a call are checked. */
export type MembershipPurpose = 'token' | 'enforcement'

/** `failed`: there was no usable answer. */
export type MembershipAnswer =
  | 'joined'
  | 'not-joined'
  | 'members'
  | 'too-many'
  | 'forbidden'
  | 'failed'

/** A value that is read when it is asked for. */
export interface GaugeDefinition {
  /** Without the prefix `jwt_service_`. */
  readonly name: string
  readonly help: string
  /** Name of its only label, if it has one. */
  readonly label?: string
  /** Values by label; the label of a gauge without one is empty. */
  readonly read: () => Promise<Readonly<Record<string, number>>> | Readonly<Record<string, number>>
}

/** Counts nothing, for a service without a metrics listener. */
export const NO_METRICS: Metrics = {
  noteRequest() {},
  noteRefusal() {},
  noteVerification() {},
  noteSfuCall() {},
  noteWebhook() {},
  noteTransition() {},
  noteRestart() {},
  noteStoreCall() {},
  noteMembershipCheck() {},
  noteRemoval() {},
  noteDroppedLines() {},
  gauge() {},
  render: async () => '',
  contentType: 'text/plain',
}
