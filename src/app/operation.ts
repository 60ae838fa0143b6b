import type { DelegationStore, Survey } from '../delegation/store/store.ts'
import type { ServerSlots } from '../delegation/work/server-slots.ts'
import type { StoreHealth } from '../delegation/work/store-health.ts'
import type { Worker } from '../delegation/work/worker.ts'
import type { Gate } from '../lib/gate.ts'
import type { ServerGates } from '../matrix/server-gates.ts'
import type { Metrics } from '../metrics.ts'
import { operationRoutes } from '../routes/operation.ts'
import { readinessOf } from './readiness.ts'

/** Codes of failures that are not the SFU's fault alone: a wrong key, address or path. */
const OUR_SFU_TROUBLE: Readonly<Record<string, string>> = {
  unauthenticated: 'it does not accept the key or secret',
  permission_denied: 'it does not accept the key or secret',
  unreachable: 'it cannot be reached',
  not_livekit: "what answers there is not LiveKit's API",
}

/** Remembers how the last call of the SFU's API ended. */
export interface SfuWatch {
  note(outcome: string): void
  trouble(): string | undefined
}

/** Creates {@link SfuWatch}. */
export function watchSfu(): SfuWatch {
  let last = 'ok'
  return {
    note(outcome) {
      last = outcome
    },
    trouble: () => OUR_SFU_TROUBLE[last],
  }
}

/** What the metrics listener tells about. */
export interface OperationParts {
  readonly metrics: Metrics
  readonly worker: Worker
  readonly store: DelegationStore
  readonly health: StoreHealth
  readonly servers: ServerSlots
  readonly gates: { readonly verifications: ServerGates; readonly locations: ServerGates }
  readonly creationGate: Gate
  readonly sfu: SfuWatch
  readonly isShuttingDown: () => boolean
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const NOTHING: Survey = {
  total: 0,
  due: 0,
  firstDueAt: undefined,
  byState: { waiting: 0, connected: 0, leaving: 0 },
}

function overdueSeconds({ firstDueAt }: Survey, now: number): number {
  return firstDueAt === undefined ? 0 : Math.max(0, now - firstDueAt) / 1_000
}

/** Assembles what the metrics listener serves. */
export function assembleOperation(parts: OperationParts) {
  const { metrics, worker, store, health, servers, gates, creationGate, sfu, now } = parts

  /** While the store is away nothing is known, and metrics are told all the same. */
  async function survey(): Promise<Survey> {
    return health.isAway() ? NOTHING : store.survey(now()).catch(() => NOTHING)
  }

  /** Several gauges of one scrape share a survey. */
  let shared: Promise<Survey> | undefined
  function sharedSurvey(): Promise<Survey> {
    shared ??= survey().finally(() => {
      shared = undefined
    })
    return shared
  }

  function usage() {
    const { verifications, locations } = gates
    return {
      verification: verifications.usage(),
      'client-api': locations.usage(),
      'room-creation': creationGate,
      'delayed-event': servers,
    }
  }

  function usageOf(what: 'running' | 'waiting') {
    return () =>
      Object.fromEntries(Object.entries(usage()).map(([name, value]) => [name, value[what]]))
  }

  metrics.gauge({
    name: 'delegations',
    help: 'Delegated leave events held, by state; beyond 500 estimated from a sample.',
    label: 'state',
    read: async () => (await sharedSurvey()).byState,
  })
  metrics.gauge({
    name: 'delegations_due',
    help: 'Delegated leave events whose next action is due or overdue, in all replicas.',
    read: async () => ({ '': (await sharedSurvey()).due }),
  })
  metrics.gauge({
    name: 'oldest_overdue_seconds',
    help: 'For how long the oldest due action has waited; more than some seconds means that work is behind.',
    read: async () => ({ '': overdueSeconds(await sharedSurvey(), now()) }),
  })
  metrics.gauge({
    name: 'store_up',
    help: '1 while the state store answers, 0 while it is away.',
    read: () => ({ '': health.isAway() ? 0 : 1 }),
  })
  metrics.gauge({
    name: 'replicas',
    help: 'Replicas that have used the state store in the last 5 s.',
    read: () => ({ '': worker.status.replicas }),
  })
  metrics.gauge({
    name: 'gate_running',
    help: 'Outgoing requests under way, by purpose.',
    label: 'gate',
    read: usageOf('running'),
  })
  metrics.gauge({
    name: 'gate_waiting',
    help: 'Outgoing requests that wait for others to end, by purpose.',
    label: 'gate',
    read: usageOf('waiting'),
  })

  return operationRoutes({
    metrics,
    readiness: async () =>
      readinessOf({
        isShuttingDown: parts.isShuttingDown(),
        workerSilentMs: Math.max(0, now() - worker.status.turnedAt),
        overdueMs: overdueSeconds(await survey(), now()) * 1_000,
        isStoreAway: health.isAway(),
        sfuTrouble: sfu.trouble(),
      }),
  })
}
