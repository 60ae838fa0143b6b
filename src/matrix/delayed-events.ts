import { memberOf, parseJson } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import { retryAfterMs } from './retry-after.ts'

/** An action on a delayed event. */
export type DelayedEventAction = 'restart' | 'send'

/** A homeserver's answer to an action. */
export type DelayedEventAnswer =
  | { readonly kind: 'done' }
  /** The event does not exist any more, or was already sent or cancelled. */
  | { readonly kind: 'gone' }
  /** The homeserver does not know the endpoint under this prefix. */
  | { readonly kind: 'unrecognized' }
  | DelayedEventFailure

/** A failed attempt, which may be retried. */
export interface DelayedEventFailure {
  readonly kind: 'failed'
  /** Pause before a retry, if the homeserver asks for one. */
  readonly retryAfterMs?: number | undefined
  /** Whether the homeserver answered at all. */
  readonly answered: boolean
  /** For the operator. */
  readonly reason: string
}

/** Path prefixes of the endpoints for delayed events. */
export const DELAYED_EVENT_PREFIXES = {
  stable: '/_matrix/client/v1',
  unstable: '/_matrix/client/unstable/org.matrix.msc4140',
} as const

/** Name of a prefix. */
export type DelayedEventPrefix = keyof typeof DELAYED_EVENT_PREFIXES

/**
 * Path of the endpoint that acts on a delayed event.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export function delayedEventPath(
  prefix: DelayedEventPrefix,
  delayId: string,
  action: DelayedEventAction,
): string {
  const id = encodeURIComponent(delayId)
  return `${DELAYED_EVENT_PREFIXES[prefix]}/delayed_events/${id}/${action}`
}

/** Interprets the answer of that endpoint. */
export function readDelayedEventAnswer(
  { status, headers, body }: Answer,
  now: number,
): DelayedEventAnswer {
  if (status === 200 || status === 204) return { kind: 'done' }
  if (status === 409) return { kind: 'gone' }
  const json = parseJson(body)
  const errcode = memberOf(json, 'errcode')
  if (status === 404 && errcode === 'M_NOT_FOUND') return { kind: 'gone' }
  if (status === 404 && errcode === 'M_UNRECOGNIZED') return { kind: 'unrecognized' }
  const failure = { kind: 'failed', answered: true, reason: `status ${status}` } as const
  return status === 429 ? { ...failure, retryAfterMs: retryAfterMs(headers, json, now) } : failure
}

/** The prefix that an answer to `GET /_matrix/client/versions` advertises, if any. */
export function advertisedPrefix({ status, body }: Answer): DelayedEventPrefix | undefined {
  if (status !== 200) return undefined
  const features = memberOf(parseJson(body), 'unstable_features')
  if (memberOf(features, 'org.matrix.msc4140.stable') === true) return 'stable'
  return memberOf(features, 'org.matrix.msc4140') === true ? 'unstable' : undefined
}
