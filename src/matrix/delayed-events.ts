import { memberOf, parseJson, textMember } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import type { Trouble } from '../trouble.ts'
import type { ClientApiCode } from './client-api-location.ts'
import { answerText } from './exchange-trouble.ts'
import { retryAfterMs } from './retry-after.ts'

/** An action on a delayed event. */
export type DelayedEventAction = 'restart' | 'send'

/** A homeserver's answer to an action. */
export type DelayedEventAnswer =
  | { readonly kind: 'done' }
  /** The event does not exist any more, or was already sent or cancelled. */
  | { readonly kind: 'gone' }
  | Unrecognized
  | DelayedEventFailure

/** The homeserver does not know the endpoint under this prefix. */
export interface Unrecognized {
  readonly kind: 'unrecognized'
}

/** A homeserver's answer to the question for a delayed event. */
export type ScheduledEvent =
  | { readonly kind: 'found'; readonly delayMs: number; readonly roomId: string }
  /** The user has no such event, or it was already sent or cancelled. */
  | { readonly kind: 'gone' }
  | DelayedEventFailure

/** Why a delayed event could not be read or acted on. */
export type DelayedEventCode =
  | ClientApiCode
  | 'delayed-events.unsupported'
  | 'delayed-events.rate-limited'
  | 'delayed-events.refused'
  | 'delayed-events.bad-answer'

/** A failed attempt, which may be retried. */
export interface DelayedEventFailure {
  readonly kind: 'failed'
  /** Pause before a retry, if the homeserver asks for one. */
  readonly retryAfterMs?: number | undefined
  /** Whether the homeserver answered at all. */
  readonly answered: boolean
  readonly trouble: Trouble<DelayedEventCode>
}

/** Path of the endpoint that tells what a homeserver supports. */
export const VERSIONS_PATH = '/_matrix/client/versions'

/** Path prefixes of the endpoints for delayed events. */
export const DELAYED_EVENT_PREFIXES = {
  stable: '/_matrix/client/v1',
  unstable: '/_matrix/client/unstable/org.matrix.msc4140',
} as const

/** Name of a prefix. */
export type DelayedEventPrefix = keyof typeof DELAYED_EVENT_PREFIXES

/**
 * Path of the endpoint that acts on a delayed event, or that reads it.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export function delayedEventPath(
  prefix: DelayedEventPrefix,
  delayId: string,
  action?: DelayedEventAction,
): string {
  const path = `${DELAYED_EVENT_PREFIXES[prefix]}/delayed_events/${encodeURIComponent(delayId)}`
  return action === undefined ? path : `${path}/${action}`
}

/** The path holds the delay ID, which is a secret. */
function refusal(answer: Answer): Trouble<DelayedEventCode> {
  const found = answerText(answer, '/delayed_events')
  if (answer.status === 429) return { code: 'delayed-events.rate-limited', found }
  const isAway = answer.status >= 500
  return { code: isAway ? 'client-api.unavailable' : 'delayed-events.refused', found }
}

/** Interprets the answer of that endpoint. */
export function readDelayedEventAnswer(answer: Answer, now: number): DelayedEventAnswer {
  const { status, headers, body } = answer
  if (status === 200 || status === 204) return { kind: 'done' }
  if (status === 409) return { kind: 'gone' }
  const json = parseJson(body)
  const errcode = memberOf(json, 'errcode')
  if (status === 404 && errcode === 'M_NOT_FOUND') return { kind: 'gone' }
  if (status === 404 && errcode === 'M_UNRECOGNIZED') return { kind: 'unrecognized' }
  const failure = { kind: 'failed', answered: true, trouble: refusal(answer) } as const
  return status === 429 ? { ...failure, retryAfterMs: retryAfterMs(headers, json, now) } : failure
}

const INCOMPLETE = {
  code: 'delayed-events.bad-answer',
  found: 'the answer lacks "delay_ms" or "room_id"',
} as const

/** 30 days, far longer than any call. The event is only restarted more often if its delay is longer. */
const MAX_DELAY_MS = 30 * 24 * 60 * 60 * 1000

/** The delay in an answer: Synapse says `delay_ms`, the proposal `delay`. */
function delayOf(json: unknown): number | undefined {
  const delay = memberOf(json, 'delay_ms') ?? memberOf(json, 'delay')
  if (typeof delay !== 'number' || !(delay > 0)) return undefined
  return Math.min(Math.ceil(delay), MAX_DELAY_MS)
}

/** Interprets the answer of the endpoint that reads a delayed event. */
export function readScheduledEvent(answer: Answer): ScheduledEvent | Unrecognized {
  const { status, body } = answer
  const json = parseJson(body)
  const errcode = memberOf(json, 'errcode')
  if (status === 404) return { kind: errcode === 'M_UNRECOGNIZED' ? 'unrecognized' : 'gone' }
  const failure = { kind: 'failed', answered: true } as const
  if (status !== 200) return { ...failure, trouble: refusal(answer) }
  const delayMs = delayOf(json)
  const roomId = textMember(json, 'room_id')
  if (delayMs === undefined || roomId === undefined) {
    return { ...failure, trouble: INCOMPLETE }
  }
  return { kind: 'found', delayMs, roomId }
}

/** The prefix that an answer to `GET /_matrix/client/versions` advertises, if any. */
export function advertisedPrefix({ status, body }: Answer): DelayedEventPrefix | undefined {
  if (status !== 200) return undefined
  const features = memberOf(parseJson(body), 'unstable_features')
  if (memberOf(features, 'org.matrix.msc4140.stable') === true) return 'stable'
  return memberOf(features, 'org.matrix.msc4140') === true ? 'unstable' : undefined
}
