import type { Delegation } from '../delegation/life/record.ts'
import type { DelayedEventOutcome } from '../delegation/life/signals.ts'
import type { Effects } from '../delegation/work/performer.ts'
import type { RoomService } from '../livekit/room-service.ts'
import type { Logger } from '../log.ts'
import type { ActingFor, ClientApi, DelayedEventResult } from '../matrix/client-api.ts'
import type { ClientApiLocation, ClientApiLocator } from '../matrix/client-api-location.ts'
import type { Metrics } from '../metrics.ts'
import type { Trouble } from '../trouble.ts'

/** Options of {@link assembleEffects}. */
export interface EffectParts {
  readonly rooms: Pick<RoomService, 'findParticipant'>
  readonly locator: ClientApiLocator
  readonly clientApi: Pick<ClientApi, 'actOnDelayedEvent'>
  /** How this service acts for users of its own homeserver; `undefined` if it has none. */
  readonly applicationService?:
    | { readonly serverName: string; readonly asToken: string }
    | undefined
  readonly logger: Logger
  readonly metrics: Metrics
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Enough for a healthy homeserver. */
const MIN_ATTEMPT_MS = 1_000

/** Timeout of one attempt: a failure must leave time for a retry before the deadline. */
function attemptLimitMs({ deadlineAt }: Delegation, now: number): number {
  return Math.max((deadlineAt - now) / 2, MIN_ATTEMPT_MS)
}

/** A restart is late when a twentieth of the delay has passed since it was due. */
function pace(delegation: Delegation, at: number): 'in-time' | 'late' {
  const { restartAt = at, delayMs } = { restartAt: undefined, ...delegation }
  return at > restartAt + delayMs / 20 ? 'late' : 'in-time'
}

function outcomeOf(result: DelayedEventResult, action: 'restart' | 'send', at: number) {
  if (result.kind === 'gone') return { type: 'event-gone' } as const
  if (result.kind === 'failed') {
    const { retryAfterMs, answered } = result
    return { type: 'attempt-failed', retryAfterMs, answered } as const
  }
  return action === 'send' ? ({ type: 'sent' } as const) : ({ type: 'restarted', at } as const)
}

/** Connects delegations to the SFU and to homeservers. */
export function assembleEffects(parts: EffectParts): Effects {
  const { rooms, locator, clientApi, applicationService, logger, metrics, now } = parts

  /** The token goes to our own homeserver alone, whatever a stored record says. */
  function actingFor({ isVouched, serverName, userId }: Delegation): ActingFor | undefined {
    if (!isVouched || userId === undefined) return undefined
    if (serverName !== applicationService?.serverName) return undefined
    return { userId, asToken: applicationService.asToken }
  }

  /** Warns of the first failure in a row only; the others are logged at level `debug`. */
  function logFailure(action: string, delegation: Delegation, failures: number, trouble: Trouble) {
    const { room, identity, serverName } = delegation
    const level = failures === 0 ? 'warn' : 'debug'
    logger[level]('delegation: an attempt failed', {
      room,
      identity,
      server_name: serverName,
      action,
      trouble,
    })
  }

  async function locate(delegation: Delegation): Promise<ClientApiLocation> {
    const { serverName, failures, isVouched } = delegation
    // A token goes along, so a stored address is not enough.
    const clientApiUrl = isVouched ? undefined : delegation.clientApiUrl
    // Use the location from acceptance until an attempt fails.
    const known = { kind: 'found', baseUrl: clientApiUrl ?? '' } as const
    if (clientApiUrl !== undefined && failures === 0) return known
    const location = await locator.locate(serverName)
    return location.kind === 'found' || clientApiUrl === undefined ? location : known
  }

  return {
    async checkPresence(delegation, signal) {
      const { room, identity } = delegation
      const presence = await rooms.findParticipant(room, identity, signal)
      if (presence.kind === 'absent') return { type: 'absent' }
      if (presence.kind === 'present') {
        return { type: 'present', participantId: presence.participantId || undefined }
      }
      if (!signal.aborted) {
        const connected = delegation.state === 'connected'
        const failures = connected ? delegation.checkFailures : delegation.failures
        logFailure('check-presence', delegation, failures, presence.trouble)
      }
      return { type: 'presence-unknown' }
    },

    async actOnEvent(delegation, action, signal): Promise<DelayedEventOutcome> {
      const { serverName, delayId, failures } = delegation
      const location = await locate(delegation)
      const isOver = location.kind === 'none' && !delegation.isVouched
      if (isOver) return { type: 'client-api-unresolvable' }
      if (location.kind !== 'found') {
        logFailure(action, delegation, failures, location.trouble)
        return { type: 'attempt-failed', answered: false }
      }
      const at = now()
      const { baseUrl } = location
      const event = { serverName, baseUrl, delayId, actingFor: actingFor(delegation) }
      const limitMs = attemptLimitMs(delegation, at)
      const result = await clientApi.actOnDelayedEvent(event, action, signal, limitMs)
      if (result.kind === 'failed' && !signal.aborted) {
        logFailure(action, delegation, failures, result.trouble)
        if (action === 'restart') metrics.noteRestart('failed')
      }
      if (result.kind === 'done' && action === 'restart') metrics.noteRestart(pace(delegation, at))
      return outcomeOf(result, action, at)
    },
  }
}
