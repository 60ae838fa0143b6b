import { cpuTimeMs, residentMiB } from '../process-stats.ts'
import type { Engine, LastingEngine } from './engines.ts'
import type { DelegationPlan } from './plan.ts'
import { writeRecords } from './records.ts'
import { awaitSeen, type Stage } from './stage.ts'

/** What a service with many delegations of one hour does. */
export interface SteadyResult {
  readonly engine: string
  /** How long it took after the first start until the presence of all had been checked. */
  readonly allCheckedMs: number
  readonly residentMiB: number
  readonly cpu: CpuShares
  readonly requestsPerSecond: number
}

/** Shares of one processor: 1 is all of it. */
export interface CpuShares {
  readonly service: number
  readonly engine: number
}

/** Gives the shares of one processor that service and engine take while `work` goes on. */
export async function cpuSharesOf(
  pid: number,
  engine: Engine,
  work: () => Promise<void>,
): Promise<CpuShares> {
  const startedAt = performance.now()
  const before = { service: await cpuTimeMs(pid), engine: (await engine.usage()).cpuMs }
  await work()
  const elapsedMs = performance.now() - startedAt
  const after = { service: await cpuTimeMs(pid), engine: (await engine.usage()).cpuMs }
  return {
    service: (after.service - before.service) / elapsedMs,
    engine: (after.engine - before.engine) / elapsedMs,
  }
}

const LIMIT_MS = 180_000

/** Watches a service that finds many delegations in its store; they are left there. */
export async function measureSteady(
  stage: Stage,
  engine: LastingEngine,
  { held, steadyMs }: DelegationPlan,
): Promise<SteadyResult> {
  const { standIns } = stage
  await engine.reset()
  await writeRecords(engine, held)
  await standIns.ask('reset')
  await using service = await stage.start(engine)
  const allCheckedMs = await awaitSeen(stage, (seen) => seen.presenceChecks >= held, LIMIT_MS)
  await standIns.ask('reset')
  const cpu = await cpuSharesOf(service.pid, engine, () => Bun.sleep(steadyMs))
  const { presenceChecks, restartCount } = await standIns.ask('counts')
  return {
    engine: engine.name,
    allCheckedMs,
    residentMiB: await residentMiB(service.pid),
    cpu,
    requestsPerSecond: ((presenceChecks + restartCount) * 1_000) / steadyMs,
  }
}
