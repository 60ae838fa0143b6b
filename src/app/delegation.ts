import { randomBytes } from 'node:crypto'
import type { StateConfig } from '../config.ts'
import { createChanges } from '../delegation/changes.ts'
import type { Delegation } from '../delegation/delegation.ts'
import { createDelegations } from '../delegation/delegations.ts'
import { Performer } from '../delegation/performer.ts'
import { openRedisStore } from '../delegation/redis-store.ts'
import { IN_MEMORY } from '../delegation/sqlite-database.ts'
import { SqliteStore } from '../delegation/sqlite-store.ts'
import type { Transition } from '../delegation/steps.ts'
import type { DelegationStore } from '../delegation/store.ts'
import { Worker } from '../delegation/worker.ts'
import type { Logger } from '../log.ts'
import type { AppOptions } from './options.ts'
import { assembleOutside, type OutsideParts } from './outside.ts'

const SHOWN_OF_DELAY_ID = 6

function newGeneration(): string {
  return randomBytes(12).toString('base64url')
}

function openStore(state: StateConfig, options: AppOptions, now: () => number) {
  if (state.kind === 'memory') return new SqliteStore(IN_MEMORY)
  if (state.kind === 'file') return new SqliteStore(state.path)
  const { logger, tuning = {} } = options
  const address = new URL(state.url).host
  return openRedisStore({
    url: state.url,
    now,
    newGeneration,
    timeoutMs: tuning.storeTimeoutMs,
    onChange(state, cause) {
      if (state === 'connected') logger.info('Redis is connected', { address })
      else logger.error('Redis is not connected', { address, cause })
    },
  })
}

/** Never the whole of it: whoever knows it may act on the event. */
function beginningOf(delayId: string): string {
  return `${delayId.slice(0, Math.min(SHOWN_OF_DELAY_ID, delayId.length / 3))}…`
}

function transitionLogger(logger: Logger) {
  return function logTransition(delegation: Delegation, { from, to, cause }: Transition): void {
    const { room, identity, delayId } = delegation
    const delay_id = beginningOf(delayId)
    // The homeserver announces that somebody has left who is connected.
    const level = from === 'connected' && to === 'dropped' ? 'warn' : 'info'
    logger[level]('delegation', { room, identity, from, to, cause, delay_id })
  }
}

/** Puts together what takes over delayed leave events. */
export async function assembleDelegation(
  options: AppOptions,
  parts: Omit<OutsideParts, 'logger' | 'now'>,
) {
  const { config, logger, monotonicNow, random } = options
  // A step of the clock must not make everything due, or nothing.
  const offset = options.now() - monotonicNow()
  const now = () => Math.floor(offset + monotonicNow())
  const around = () => ({ now: now(), random: random(), sanityCheckMs: config.sanityCheckMs })

  const store: DelegationStore = await openStore(config.state, options, now)
  const changes = createChanges({ store, around, onTransition: transitionLogger(logger) })
  const outside = assembleOutside({ ...parts, logger, now })
  const performer = new Performer({ store, changes, outside, around })
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
