import { withDeadline } from '../lib/deadline.ts'
import { isRequestFailure } from '../net/target-client.ts'
import type { RequestClientApi } from './client-api-request.ts'
import { createDelayedEventPrefixes } from './delayed-event-prefixes.ts'
import {
  type DelayedEventAction,
  type DelayedEventAnswer,
  type DelayedEventFailure,
  type DelayedEventPrefix,
  delayedEventPath,
  readDelayedEventAnswer,
} from './delayed-events.ts'
import { failureText } from './verification-error.ts'

/** A delayed event and its homeserver. */
export interface DelayedEvent {
  readonly serverName: string
  /** Base URL of the homeserver's client API. */
  readonly baseUrl: string
  readonly delayId: string
}

/** Result of an attempt. */
export type DelayedEventResult = Exclude<DelayedEventAnswer, { readonly kind: 'unrecognized' }>

/** Acts on delayed events through the client API of homeservers. */
export interface ClientApi {
  /**
   * Restarts or sends a delayed event. It never throws; failures are results.
   *
   * @param limitMs - timeout, if shorter than the usual one
   */
  actOnDelayedEvent(
    event: DelayedEvent,
    action: DelayedEventAction,
    signal: AbortSignal,
    limitMs?: number,
  ): Promise<DelayedEventResult>
}

/** Settings of {@link createClientApi}. */
export interface ClientApiOptions {
  readonly request: RequestClientApi
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Timeout of an attempt. */
  readonly timeoutMs?: number | undefined
}

const NOT_SUPPORTED: DelayedEventFailure = {
  kind: 'failed',
  answered: true,
  reason: 'the homeserver does not support delayed events',
}

function otherThan(prefix: DelayedEventPrefix): DelayedEventPrefix {
  return prefix === 'stable' ? 'unstable' : 'stable'
}

function noAnswer(error: unknown): DelayedEventFailure {
  const reason = isRequestFailure(error) ? failureText(error) : 'given up'
  return { kind: 'failed', answered: false, reason }
}

/** Creates {@link ClientApi}. */
export function createClientApi({ request, now, timeoutMs = 5_000 }: ClientApiOptions): ClientApi {
  const prefixes = createDelayedEventPrefixes(request, timeoutMs / 2, now)

  async function actUnder(
    prefix: DelayedEventPrefix,
    { serverName, baseUrl, delayId }: DelayedEvent,
    action: DelayedEventAction,
    signal: AbortSignal,
  ): Promise<DelayedEventAnswer> {
    const path = delayedEventPath(prefix, delayId, action)
    const call = { method: 'POST', path, body: '{}' } as const
    return readDelayedEventAnswer(await request(serverName, baseUrl, call, signal), now())
  }

  async function act(event: DelayedEvent, action: DelayedEventAction, signal: AbortSignal) {
    const first = await prefixes.find(event.serverName, event.baseUrl)
    const answer = await actUnder(first, event, action, signal)
    if (answer.kind !== 'unrecognized') return answer
    const second = otherThan(first)
    const otherAnswer = await actUnder(second, event, action, signal)
    if (otherAnswer.kind === 'unrecognized') return NOT_SUPPORTED
    prefixes.remember(event.baseUrl, second)
    return otherAnswer
  }

  return {
    actOnDelayedEvent(event, action, outer, limitMs = timeoutMs) {
      const ms = Math.min(limitMs, timeoutMs)
      return withDeadline(ms, outer, (signal) => act(event, action, signal)).catch(noAnswer)
    },
  }
}
