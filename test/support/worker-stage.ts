import { type Changes, createChanges } from '../../src/delegation/changes.ts'
import type { Delegation } from '../../src/delegation/delegation.ts'
import { createDelegations, type Delegations } from '../../src/delegation/delegations.ts'
import { Performer } from '../../src/delegation/performer.ts'
import { SqliteStore } from '../../src/delegation/sqlite-store.ts'
import type { DelegationStore } from '../../src/delegation/store.ts'
import { Worker } from '../../src/delegation/worker.ts'
import { NOW } from './delegations.ts'
import { createOutside, type FakeOutside } from './outside.ts'
import { WatchedStore } from './watched-store.ts'

/** A worker with all that it works on. */
export interface WorkerStage {
  readonly store: WatchedStore
  readonly outside: FakeOutside
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
  const around = () => ({ now: now(), random: 0.5, sanityCheckMs: 0 })
  const store = new WatchedStore(options.store ?? new SqliteStore(':memory:'))
  const outside = createOutside(now)
  const transitions: string[] = []
  const troubles: string[] = []
  const changes = createChanges({
    store,
    around,
    onTransition({ identity }, { from, to }) {
      transitions.push(`${identity}: ${from} → ${to}`)
    },
  })
  const performer = new Performer({ store, changes, outside, around })
  const onTrouble = (message: string) => troubles.push(message)
  const worker = new Worker({ store, changes, performer, around, onTrouble })
  let generations = 0
  const delegations = createDelegations({
    store,
    changes,
    around,
    newGeneration() {
      generations += 1
      return `generation-${generations}`
    },
    onAccepted: () => {},
    onMissedWebhook: () => worker.noteMissedWebhook(),
  })

  return {
    store,
    outside,
    changes,
    delegations,
    worker,
    transitions,
    troubles,
    now,
    pass(ms) {
      steered += ms
      store.wake()
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
  return { room: 'room', identity, serverName, delayId: `delay-${identity}`, delayMs: 30_000 }
}
