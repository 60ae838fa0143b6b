import { percentile } from '../statistics.ts'
import type { Engine } from './engines.ts'
import type { DelegationPlan } from './plan.ts'
import { restartPositions, timesByIndex } from './positions.ts'
import { awaitSeen, type Stage } from './stage.ts'
import { type CpuShares, cpuSharesOf } from './steady.ts'

/** What a service does with many delegations of a short delay. */
export interface BusyResult {
  readonly engine: string
  readonly cpu: CpuShares
  /** When restarts came after the one before, in shares of the delay. */
  readonly positions: {
    readonly earliest: number
    readonly median: number
    readonly p99: number
    readonly latest: number
  }
  readonly restarts: number
  /** Restarts outside of 80 to 90 % of the delay. */
  readonly outside: number
  /** Events that the homeserver would have sent: restarted too late, or not at all. */
  readonly missed: number
  /** From the webhook's first byte to the request that sends the event. */
  readonly webhookToSendMs: { readonly p50: number; readonly p99: number; readonly worst: number }
}

const RESTART_SHARE = 0.8
const LATEST_SHARE = 0.9
const CONNECTIONS = 16
const WEBHOOK_CONNECTIONS = 16
const LIMIT_MS = 30_000
/** A restart counts from when it is asked for, and is seen a little later. */
const SEEN_LATER_MS = 20

async function measureRestarts(
  stage: Stage,
  { busy, busyDelayMs, periods }: DelegationPlan,
): Promise<Omit<BusyResult, 'engine' | 'cpu' | 'webhookToSendMs'>> {
  const times = timesByIndex((await stage.standIns.ask('times')).restarts)
  const positions = restartPositions(times, busyDelayMs)
  const seldom = [...times.values()].filter((of) => of.length < periods + 1).length
  const late = positions.filter((position) => position > 1).length
  const earliest = RESTART_SHARE - SEEN_LATER_MS / busyDelayMs
  const isOutside = (position: number) => position < earliest || position > LATEST_SHARE
  return {
    positions: {
      earliest: percentile(positions, 0),
      median: percentile(positions, 0.5),
      p99: percentile(positions, 0.99),
      latest: percentile(positions, 1),
    },
    restarts: positions.length,
    outside: positions.filter(isOutside).length,
    missed: busy - times.size + seldom + late,
  }
}

async function measureWebhooks(stage: Stage, port: number, plan: DelegationPlan) {
  const { webhooks, webhooksPerSecond, busyDelayMs: delayMs } = plan
  await stage.standIns.ask('reset')
  const { written } = await stage.generate({
    kind: 'leave',
    port,
    first: 0,
    count: webhooks,
    connections: WEBHOOK_CONNECTIONS,
    perSecond: webhooksPerSecond,
    delayMs,
  })
  await awaitSeen(stage, ({ sendCount }) => sendCount >= webhooks, LIMIT_MS)
  const sentAt = new Map((await stage.standIns.ask('times')).sends)
  const latencies = written.map(([index, at]) => (sentAt.get(index) ?? Number.NaN) - at)
  return {
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    worst: percentile(latencies, 1),
  }
}

/** Holds many delegations of a short delay for some periods, then ends some of them by webhooks. */
export async function measureBusy(
  stage: Stage,
  engine: Engine,
  plan: DelegationPlan,
): Promise<BusyResult> {
  const { busy, busyDelayMs, periods } = plan
  const periodMs = RESTART_SHARE * busyDelayMs
  await engine.reset()
  await stage.standIns.ask('reset')
  await using service = await stage.start(engine)
  await stage.generate({
    kind: 'delegate',
    port: service.port,
    first: 0,
    count: busy,
    connections: CONNECTIONS,
    // Restarts are then spread as those of independent participants are.
    perSecond: (busy * 1_000) / periodMs,
    delayMs: busyDelayMs,
  })
  // After the last request, its first restart takes one check of presence, and the last one the
  // headroom.
  const watchMs = periods * periodMs + 2_000 + 0.1 * busyDelayMs
  const cpu = await cpuSharesOf(service.pid, engine, () => Bun.sleep(watchMs))
  const restarts = await measureRestarts(stage, plan)
  const webhookToSendMs = await measureWebhooks(stage, service.port, plan)
  return { engine: engine.name, cpu, ...restarts, webhookToSendMs }
}
