import { createDelegations, type Delegations } from '../../src/delegation/delegations.ts'
import type { Delegation } from '../../src/delegation/life/record.ts'
import { SqliteStore } from '../../src/delegation/store/sqlite-store.ts'
import type { DelegationStore } from '../../src/delegation/store/store.ts'
import { type Changes, createChanges } from '../../src/delegation/work/changes.ts'
import { Memory, rememberChanges } from '../../src/delegation/work/memory.ts'
import { Performer } from '../../src/delegation/work/performer.ts'
import { ServerSlots } from '../../src/delegation/work/server-slots.ts'
import { Standby } from '../../src/delegation/work/standby.ts'
import { StoreHealth } from '../../src/delegation/work/store-health.ts'
import { Worker } from '../../src/delegation/work/worker.ts'
import { NOW } from './delegations.ts'
import { createEffects, type FakeEffects } from './effects.ts'
import { WatchedStore } from './watched-store.ts'

/** A worker with all that it works on. */
export interface WorkerStage {
  readonly store: WatchedStore
  /** What the worker remembers of what it has changed. */
  readonly memory: Memory
  readonly standby: Standby
  /** What has been mended or put back, one for each time. */
  readonly mendings: object[]
  readonly effects: FakeEffects
  readonly changes: Changes
  readonly delegations: Delegations
  readonly worker: Worker
  /** Changes of state so far, such as `waiting → connected`, with their identity before. */
  readonly transitions: string[]
  /** What the operator was told. */
  readonly troubles: string[]
  now(): number
  /** Moves the clock on, and has the worker look at it. */
  pass(ms: number): void
  /** The delegation of the participant in `room`. */
  find(identity?: string): Promise<Delegation | undefined>
  [Symbol.asyncDispose](): Promise<void>
}

/** What a stage is made with. */
export interface WorkerStageOptions {
  /** SQLite in memory when left out. */
  readonly store?: DelegationStore
  /** A clock that `pass` moves, and nothing else, when left out. */
  readonly now?: () => number
}

/** Sets up a worker that does not run before `worker.start`. */
export function createWorkerStage(options: WorkerStageOptions = {}): WorkerStage {
  let steered = NOW
  const now = options.now ?? (() => steered)
  const health = new StoreHealth(() => performance.now())
  const memory = new Memory()
  const circumstances = () => ({
    now: now(),
    random: 0.5,
    sanityCheckMs: 0,
    storeWasAway: health.wasAwayLately(),
  })
  const watched = new WatchedStore(options.store ?? new SqliteStore(':memory:'))
  const store = rememberChanges(watched, memory)
  const effects = createEffects(now)
  const transitions: string[] = []
  const troubles: string[] = []
  const mendings: object[] = []
  const changes = createChanges({
    store,
    circumstances,
    onTransition({ identity }, { from, to }) {
      transitions.push(`${identity}: ${from} → ${to}`)
    },
  })
  const servers = new ServerSlots(96)
  const performer = new Performer({
    store,
    changes,
    effects,
    circumstances,
    servers,
    presenceChecks: 96,
  })
  const onTrouble = (message: string) => troubles.push(message)
  const onBug = (error: unknown) => troubles.push(String(error))
  const standby = new Standby({
    store,
    changes,
    memory,
    health,
    effects,
    circumstances,
    servers,
    onBug,
  })
  const worker = new Worker({
    ...{ store, changes, performer, standby, health, circumstances, onTrouble, onBug },
    maxRunning: 96,
    onTime: () => {},
    onMended: (mended) => mendings.push(mended),
  })
  let generations = 0
  const delegations = createDelegations({
    store,
    changes,
    circumstances,
    newGeneration() {
      generations += 1
      return `generation-${generations}`
    },
    boundsFor: () => ({ perUser: 100, perServer: 20_000 }),
    onAccepted: () => {},
    onMissedWebhook: () => worker.noteMissedWebhook(),
  })

  return {
    store: watched,
    memory,
    standby,
    mendings,
    effects,
    changes,
    delegations,
    worker,
    transitions,
    troubles,
    now,
    pass(ms) {
      steered += ms
      watched.wake()
      standby.look()
    },
    find: async (identity = 'alice') => (await store.find({ room: 'room', identity }))?.delegation,
    async [Symbol.asyncDispose]() {
      await worker.stop()
      await store.close()
    },
  }
}

/** What a client hands over: an event that is delayed by 30 s. */
export function delegated(identity = 'alice', serverName = 'example.org') {
  const userId = `@${identity}:${serverName}`
  return {
    room: 'room',
    identity,
    serverName,
    userId,
    delayId: `delay-${identity}`,
    delayMs: 30_000,
  }
}
