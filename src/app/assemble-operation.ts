import type { DelegationStore, Survey } from '../delegation/store/store.ts'
import type { ServerSlots } from '../delegation/work/server-slots.ts'
import type { StoreHealth } from '../delegation/work/store-health.ts'
import type { Worker } from '../delegation/work/worker.ts'
import { withDeadline } from '../lib/deadline.ts'
import type { Gate } from '../lib/gate.ts'
import type { RoomService } from '../livekit/room-service.ts'
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
  readonly worker: Pick<Worker, 'status'>
  readonly store: Pick<DelegationStore, 'survey'>
  readonly health: Pick<StoreHealth, 'isAway'>
  readonly servers: Pick<ServerSlots, 'running' | 'waiting'>
  readonly gates: { readonly verifications: ServerGates; readonly locations: ServerGates }
  readonly creationGate: Gate
  /** `undefined` when application-service mode is off. */
  readonly applicationService:
    | {
        readonly gates: Readonly<Record<'token' | 'enforcement' | 'relay', Gate>>
        /** Where tokens are remembered; `undefined` when members are not checked. */
        readonly store: object | undefined
      }
    | undefined
  readonly sfu: SfuWatch
  readonly rooms: Pick<RoomService, 'check'>
  readonly isShuttingDown: () => boolean
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Probes wait for a second by default. */
const SURVEY_LIMIT_MS = 500

function overdueSeconds({ firstDueAt }: Survey, now: number): number {
  return firstDueAt === undefined ? 0 : Math.max(0, now - firstDueAt) / 1_000
}

const UNUSED = { running: 0, waiting: 0 }

/** Assembles what the metrics listener serves. */
export function assembleOperation(parts: OperationParts) {
  const { metrics, worker, store, health, servers, creationGate, sfu, now } = parts

  /** `undefined` while the store does not answer. */
  async function survey(): Promise<Survey | undefined> {
    if (health.isAway()) return undefined
    try {
      return await withDeadline(SURVEY_LIMIT_MS, undefined, () => store.survey(now()))
    } catch {
      return undefined
    }
  }

  /** Several gauges of one scrape share a survey. */
  let shared: Promise<Survey | undefined> | undefined
  function sharedSurvey(): Promise<Survey | undefined> {
    shared ??= survey().finally(() => {
      shared = undefined
    })
    return shared
  }

  function usage() {
    const { verifications, locations } = parts.gates
    const members = parts.applicationService?.gates
    return {
      verification: verifications.usage(),
      'client-api': locations.usage(),
      'room-creation': creationGate,
      'delayed-event': servers,
      'membership-token': members?.token ?? UNUSED,
      'membership-enforcement': members?.enforcement ?? UNUSED,
      relay: members?.relay ?? UNUSED,
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
    read: async () => (await sharedSurvey())?.byState ?? {},
  })
  metrics.gauge({
    name: 'delegations_due',
    help: 'Delegated leave events whose next action is due or overdue, in all replicas.',
    read: async () => ({ '': (await sharedSurvey())?.due ?? Number.NaN }),
  })
  metrics.gauge({
    name: 'oldest_overdue_seconds',
    help: 'For how long the oldest due action has waited; more than some seconds means that work is behind.',
    read: async () => {
      const found = await sharedSurvey()
      return { '': found === undefined ? Number.NaN : overdueSeconds(found, now()) }
    },
  })
  metrics.gauge({
    name: 'store_up',
    help: '1 while the state store answers, 0 while it is away.',
    read: async () => ({ '': (await sharedSurvey()) === undefined ? 0 : 1 }),
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

  /** The trouble may be over, although nobody has wanted a token since. */
  let isRechecking = false
  async function recheckSfu(): Promise<void> {
    if (isRechecking) return
    isRechecking = true
    // The watch notes how it ends.
    await parts.rooms.check().catch(() => {})
    isRechecking = false
  }

  return operationRoutes({
    metrics,
    async readiness() {
      // Probes do not wait for it; the next one gets to know.
      if (sfu.trouble() !== undefined) void recheckSfu()
      const found = await survey()
      return readinessOf({
        isShuttingDown: parts.isShuttingDown(),
        workerSilentMs: Math.max(0, now() - worker.status.turnedAt),
        overdueMs: found === undefined ? 0 : overdueSeconds(found, now()) * 1_000,
        isStoreAway: found === undefined,
        areTokensKept: parts.applicationService?.store !== undefined,
        sfuTrouble: sfu.trouble(),
      })
    },
  })
}
