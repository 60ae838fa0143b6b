import { memberOf, parseJson } from '../lib/json.ts'
import type { Answer } from '../net/bounded-fetch.ts'
import { retryAfterMs } from './retry-after.ts'

/** What may be done to a delayed event. */
export type DelayedEventAction = 'restart' | 'send'

/** What a homeserver answered to it. */
export type DelayedEventAnswer =
  | { readonly kind: 'done' }
  /** The event is not there any more, or finalised. */
  | { readonly kind: 'gone' }
  /** The homeserver does not know the endpoint under this prefix. */
  | { readonly kind: 'unrecognized' }
  /** To be tried again. */
  | DelayedEventFailure

/** An attempt that came to nothing. */
export interface DelayedEventFailure {
  readonly kind: 'failed'
  /** After how many milliseconds to try again, where the homeserver says so. */
  readonly retryAfterMs?: number | undefined
  /** Whether the homeserver answered at all. */
  readonly answered: boolean
  /** For the operator. */
  readonly reason: string
}

/** Prefixes of the endpoints for delayed events, by what a homeserver may support. */
export const DELAYED_EVENT_PREFIXES = {
  stable: '/_matrix/client/v1',
  unstable: '/_matrix/client/unstable/org.matrix.msc4140',
} as const

/** Which of the prefixes. */
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

/** Reads the answer of that endpoint. */
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

/** The prefix that the answer to `GET /_matrix/client/versions` names, where it names one. */
export function advertisedPrefix({ status, body }: Answer): DelayedEventPrefix | undefined {
  if (status !== 200) return undefined
  const features = memberOf(parseJson(body), 'unstable_features')
  if (memberOf(features, 'org.matrix.msc4140.stable') === true) return 'stable'
  return memberOf(features, 'org.matrix.msc4140') === true ? 'unstable' : undefined
}
