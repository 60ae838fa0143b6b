import { randomBytes } from 'node:crypto'
import type { StateConfig } from '../config.ts'
import { createChanges } from '../delegation/changes.ts'
import type { Delegation } from '../delegation/delegation.ts'
import { createDelegations } from '../delegation/delegations.ts'
import type { DelayedEventOutcome } from '../delegation/events.ts'
import { type Outside, Performer } from '../delegation/performer.ts'
import { openRedisStore } from '../delegation/redis-store.ts'
import { SqliteStore } from '../delegation/sqlite-store.ts'
import type { Transition } from '../delegation/steps.ts'
import type { DelegationStore } from '../delegation/store.ts'
import { Worker } from '../delegation/worker.ts'
import type { RoomService } from '../livekit/room-service.ts'
import type { Logger } from '../log.ts'
import type { ClientApi } from '../matrix/client-api.ts'
import type { ClientApiLocator } from '../matrix/client-api-location.ts'
import type { AppOptions } from './options.ts'

/** What delegations need of the outside. */
export interface DelegationParts {
  readonly rooms: RoomService
  readonly locator: ClientApiLocator
  readonly clientApi: ClientApi
}

const SHOWN_OF_DELAY_ID = 6

function newGeneration(): string {
  return randomBytes(12).toString('base64url')
}

function openStore(state: StateConfig, options: AppOptions, now: () => number) {
  if (state.kind === 'memory') return new SqliteStore(':memory:')
  if (state.kind === 'file') return new SqliteStore(state.path)
  const { logger, tuning = {} } = options
  return openRedisStore({
    url: state.url,
    now,
    newGeneration,
    timeoutMs: tuning.storeTimeoutMs,
    onChange(connected, cause) {
      if (connected) logger.info('Redis is connected')
      else logger.error('Redis is not connected', { cause })
    },
  })
}

function transitionLogger(logger: Logger) {
  return function logTransition(delegation: Delegation, { from, to, cause }: Transition): void {
    const { room, identity, delayId } = delegation
    const shown = `${delayId.slice(0, SHOWN_OF_DELAY_ID)}…`
    logger.info('delegation', { room, identity, from, to, cause, delay_id: shown })
  }
}

function outsideOf({ rooms, locator, clientApi }: DelegationParts, now: () => number): Outside {
  async function baseUrlOf({ serverName, clientApiUrl }: Delegation) {
    const location = await locator.locate(serverName)
    if (location.kind === 'found') return location.baseUrl
    // Where it was when the delegation was accepted is the best guess while it cannot be told.
    return clientApiUrl ?? location
  }

  return {
    async checkPresence({ room, identity }, signal) {
      const presence = await rooms.findParticipant(room, identity, signal)
      if (presence.kind === 'unknown') return { type: 'presence-unknown' }
      if (presence.kind === 'absent') return { type: 'absent' }
      return { type: 'present', participantId: presence.participantId || undefined }
    },

    async actOnEvent(delegation, action, signal): Promise<DelayedEventOutcome> {
      const { serverName, delayId } = delegation
      const baseUrl = await baseUrlOf(delegation)
      if (typeof baseUrl !== 'string') {
        const type = baseUrl.kind === 'none' ? 'client-api-unresolvable' : 'attempt-failed'
        return { type }
      }
      const at = now()
      const answer = await clientApi.actOnDelayedEvent(serverName, baseUrl, delayId, action, signal)
      if (answer.kind === 'gone') return { type: 'event-gone' }
      if (answer.kind !== 'done') {
        const retryAfterMs = answer.kind === 'failed' ? answer.retryAfterMs : undefined
        return { type: 'attempt-failed', retryAfterMs }
      }
      return action === 'send' ? { type: 'sent' } : { type: 'restarted', at }
    },
  }
}

/** Puts together what takes over delayed leave events. */
export async function assembleDelegation(options: AppOptions, parts: DelegationParts) {
  const { config, logger, monotonicNow, random } = options
  // A step of the clock must not make everything due, or nothing.
  const offset = options.now() - monotonicNow()
  const now = () => Math.floor(offset + monotonicNow())
  const around = () => ({ now: now(), random: random(), sanityCheckMs: config.sanityCheckMs })

  const store: DelegationStore = await openStore(config.state, options, now)
  const changes = createChanges({ store, around, onTransition: transitionLogger(logger) })
  const performer = new Performer({ store, changes, outside: outsideOf(parts, now), around })
  const worker = new Worker({
    store,
    changes,
    performer,
    around,
    onTrouble: (message, cause) => logger.warn(message, { cause }),
  })
  const delegations = createDelegations({
    store,
    changes,
    around,
    newGeneration,
    onAccepted({ room, identity }) {
      logger.info('delegation', { room, identity, to: 'waiting', cause: 'accepted' })
    },
    onMissedWebhook: () => worker.noteMissedWebhook(),
  })
  return { delegations, worker, store }
}
