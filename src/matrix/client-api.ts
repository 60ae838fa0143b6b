import type { CancellationSignal } from '../lib/cancellation.ts'
import { withDeadline } from '../lib/deadline.ts'
import { isRequestFailure } from '../net/request-failure.ts'
import type { RequestClientApi } from './client-api-request.ts'
import { createDelayedEventPrefixes } from './delayed-event-prefixes.ts'
import {
  type DelayedEventAction,
  type DelayedEventAnswer,
  type DelayedEventFailure,
  type DelayedEventPrefix,
  delayedEventPath,
  readDelayedEventAnswer,
  readScheduledEvent,
  type ScheduledEvent,
  type Unrecognized,
} from './delayed-events.ts'
import { exchangeTrouble } from './exchange-trouble.ts'

/** A delayed event and its homeserver. */
export interface DelayedEvent {
  readonly serverName: string
  /** Base URL of the homeserver's client API. */
  readonly baseUrl: string
  readonly delayId: string
  /** Set to act as the application service, for one of its users. */
  readonly actingFor?: ActingFor | undefined
}

/** Identity assertion of an application service. */
export interface ActingFor {
  readonly userId: string
  /** Secret: the service's `as_token`. */
  readonly asToken: string
}

/** Path and credentials of a request that an application service makes for one of its users. */
export function callFor(path: string, actingFor: ActingFor | undefined) {
  if (actingFor === undefined) return { path }
  const { userId, asToken } = actingFor
  return { path: `${path}?user_id=${encodeURIComponent(userId)}`, accessToken: asToken }
}

/** Result of an attempt. */
export type DelayedEventResult = Exclude<DelayedEventAnswer, Unrecognized>

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
    signal: CancellationSignal,
    limitMs?: number,
  ): Promise<DelayedEventResult>
  /** Reads a delayed event that has not been sent yet. It never throws; failures are results. */
  readDelayedEvent(event: DelayedEvent, signal: CancellationSignal): Promise<ScheduledEvent>
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
  trouble: {
    code: 'delayed-events.unsupported',
    found: 'the homeserver does not support delayed events',
  },
}

const GIVEN_UP = { code: 'client-api.given-up', found: 'given up' } as const

function otherThan(prefix: DelayedEventPrefix): DelayedEventPrefix {
  return prefix === 'stable' ? 'unstable' : 'stable'
}

function noAnswer(error: unknown): DelayedEventFailure {
  const trouble = isRequestFailure(error) ? exchangeTrouble('client-api', error) : GIVEN_UP
  return { kind: 'failed', answered: false, trouble }
}

/** Creates {@link ClientApi}. */
export function createClientApi({ request, now, timeoutMs = 5_000 }: ClientApiOptions): ClientApi {
  const prefixes = createDelayedEventPrefixes(request, timeoutMs / 2, now)

  /** Asks under the prefix that the homeserver is known to use, then under the other one. */
  async function underEither<T extends { readonly kind: string }>(
    { serverName, baseUrl }: DelayedEvent,
    ask: (prefix: DelayedEventPrefix) => Promise<T | Unrecognized>,
  ): Promise<T | DelayedEventFailure> {
    const first = await prefixes.find(serverName, baseUrl)
    const answer = await ask(first)
    if (answer.kind !== 'unrecognized') return answer as T
    const second = otherThan(first)
    const otherAnswer = await ask(second)
    if (otherAnswer.kind === 'unrecognized') return NOT_SUPPORTED
    prefixes.remember(baseUrl, second)
    return otherAnswer as T
  }

  function act(event: DelayedEvent, action: DelayedEventAction, signal: CancellationSignal) {
    const { serverName, baseUrl, delayId, actingFor } = event
    return underEither<DelayedEventResult>(event, async (prefix) => {
      const path = delayedEventPath(prefix, delayId, action)
      const call = { method: 'POST', body: '{}', ...callFor(path, actingFor) } as const
      return readDelayedEventAnswer(await request(serverName, baseUrl, call, signal), now())
    })
  }

  function read(event: DelayedEvent, signal: CancellationSignal) {
    const { serverName, baseUrl, delayId, actingFor } = event
    return underEither<ScheduledEvent>(event, async (prefix) => {
      const call = {
        method: 'GET',
        ...callFor(delayedEventPath(prefix, delayId), actingFor),
      } as const
      return readScheduledEvent(await request(serverName, baseUrl, call, signal))
    })
  }

  return {
    actOnDelayedEvent(event, action, outer, limitMs = timeoutMs) {
      const ms = Math.min(limitMs, timeoutMs)
      return withDeadline(ms, outer, (signal) => act(event, action, signal)).catch(noAnswer)
    },
    readDelayedEvent(event, outer) {
      return withDeadline(timeoutMs, outer, (signal) => read(event, signal)).catch(noAnswer)
    },
  }
}
