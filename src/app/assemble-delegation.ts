import { randomBytes } from 'node:crypto'
import type { StateConfig } from '../config/combined.ts'
import { createDelegations } from '../delegation/delegations.ts'
import type { Transition } from '../delegation/life/moves.ts'
import type { Delegation } from '../delegation/life/record.ts'
import { WAKE_CHANNEL } from '../delegation/store/redis-keys.ts'
import { openRedisStore } from '../delegation/store/redis-store.ts'
import { IN_MEMORY } from '../delegation/store/sqlite-database.ts'
import { SqliteStore } from '../delegation/store/sqlite-store.ts'
import type { DelegationStore, Mended } from '../delegation/store/store.ts'
import { createChanges } from '../delegation/work/changes.ts'
import { createDelegationClock } from '../delegation/work/clock.ts'
import { Memory, rememberChanges } from '../delegation/work/memory.ts'
import { Performer } from '../delegation/work/performer.ts'
import { ServerSlots } from '../delegation/work/server-slots.ts'
import { Standby } from '../delegation/work/standby.ts'
import { StoreHealth } from '../delegation/work/store-health.ts'
import { Worker } from '../delegation/work/worker.ts'
import { requestBudget } from '../lib/request-budget.ts'
import type { Logger } from '../log.ts'
import { type Metrics, NO_METRICS } from '../metrics.ts'
import { measureStore } from './counting.ts'
import { assembleEffects, type EffectParts } from './effects.ts'
import { isListed } from './homeservers.ts'
import type { AppOptions } from './options.ts'
import { type WebhookWatch, watchWebhooks } from './webhook-watch.ts'

const SHOWN_OF_DELAY_ID = 6

function newGeneration(): string {
  return randomBytes(12).toString('base64url')
}

/** For all users together of a server that is not named in `LIVEKIT_FULL_ACCESS_HOMESERVERS`. */
const MAX_PER_UNNAMED_SERVER = 20_000

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
    onChange(state, trouble) {
      if (state === 'connected') logger.info('Redis is connected', { address })
      else logger.error('Redis is not connected', { address, trouble })
    },
    onWakeChange(state, trouble) {
      if (state === 'connected') logger.info('replicas can wake each other', { address })
      else logger.warn(WAKELESS, { address, channel: WAKE_CHANNEL, trouble })
    },
  })
}

const WAKELESS = 'replicas cannot wake each other, and poll twice a second'

function mendedLogger(logger: Logger) {
  return function logMended(mended: Mended | { readonly restored: number }): void {
    const message = 'restored' in mended ? REFILLED : 'the state store has been mended'
    if (Object.values(mended).some((count) => count > 0)) logger.warn(message, { ...mended })
  }
}

const REFILLED = 'the state store came back empty or older, and was filled from memory'

/** Shortened for the log: the delay ID is a secret. */
function beginningOf(delayId: string): string {
  return `${delayId.slice(0, Math.min(SHOWN_OF_DELAY_ID, delayId.length / 3))}…`
}

function transitionLogger(logger: Logger, metrics: Metrics, webhooks: WebhookWatch) {
  return function logTransition(delegation: Delegation, { from, to, cause }: Transition): void {
    const { room, identity, delayId } = delegation
    metrics.noteTransition(from, to)
    webhooks.noteTransition(delegation, { cause })
    const delay_id = beginningOf(delayId)
    // The homeserver will announce a leave although the participant is still connected.
    const level = from === 'connected' && to === 'dropped' ? 'warn' : 'info'
    logger[level]('delegation', { room, identity, from, to, cause, delay_id })
  }
}

/** Assembles the delegation of delayed leave events. */
export async function assembleDelegation(
  options: AppOptions,
  parts: Pick<EffectParts, 'rooms' | 'locator' | 'clientApi'>,
) {
  const { config, logger, random, metrics } = options
  const { sanityCheckMs, maxDelegationsPerUser } = config
  const clock = createDelegationClock(options)
  const { now } = clock
  const replicas = config.state.kind === 'redis' ? 'several' : 'one'
  const webhooks = watchWebhooks(logger, now(), replicas)
  const health = new StoreHealth(options.monotonicNow)
  const memory = new Memory()
  const circumstances = () => {
    const storeWasAway = health.wasAwayLately()
    return { now: now(), random: random(), sanityCheckMs, storeWasAway }
  }

  const opened: DelegationStore = await openStore(config.state, options, now)
  // A store in this process never goes away, so it needs no memory beside it.
  const measured = metrics === NO_METRICS ? opened : measureStore(opened, metrics)
  const store = config.state.kind === 'memory' ? measured : rememberChanges(measured, memory)
  const changes = createChanges({
    store,
    circumstances,
    onTransition: transitionLogger(logger, metrics, webhooks),
  })
  const { applicationService } = config
  const effects = assembleEffects({ ...parts, applicationService, logger, now, metrics })
  const { delayedEvents, presenceChecks } = requestBudget(options.requestCap)
  const servers = new ServerSlots(delayedEvents)
  const performer = new Performer({
    store,
    changes,
    effects,
    circumstances,
    servers,
    presenceChecks,
  })
  const logMended = mendedLogger(logger)
  const lossListeners: (() => void)[] = []
  const standby = new Standby({
    ...{ store, changes, memory, health, effects, circumstances, servers },
    onBug: (error) => worker.reportBug(error),
  })
  const worker: Worker = new Worker({
    ...{ store, changes, performer, standby, health, circumstances },
    maxRunning: delayedEvents + presenceChecks,
    onTime: clock.follow,
    onMended(mended) {
      logMended(mended)
      if ('restored' in mended) for (const listener of lossListeners) listener()
    },
    onTrouble: (message, trouble) => logger.warn(message, { trouble }),
    onBug(error) {
      const cause = error instanceof Error ? `${error.name}: ${error.message}` : 'unknown error'
      logger.warn('a delegation could not be worked on', { cause })
    },
  })
  const delegations = createDelegations({
    ...{ store, changes, circumstances, newGeneration },
    boundsFor: (serverName) => ({
      perUser: maxDelegationsPerUser,
      perServer: isListed(config, serverName) ? undefined : MAX_PER_UNNAMED_SERVER,
    }),
    onAccepted({ room, identity }) {
      metrics.noteTransition('none', 'waiting')
      logger.info('delegation', { room, identity, to: 'waiting', cause: 'accepted' })
    },
    onMissedWebhook: () => worker.noteMissedWebhook(),
  })
  /** Has `listener` called when the store has come back empty or older. */
  const onDataLost = (listener: () => void) => void lossListeners.push(listener)
  return { delegations, worker, store, health, servers, webhooks, now, onDataLost }
}
