import { type BusyResult, measureBusy } from './busy.ts'
import { type LastingEngine, redis, sqliteFile, sqliteInMemory } from './engines.ts'
import { type HeldResult, measureHeld } from './held.ts'
import type { DelegationPlan } from './plan.ts'
import { measureRecovery, type RecoveryResult } from './recovery.ts'
import { renderDelegationReport } from './report.ts'
import { createStage, type Stage } from './stage.ts'
import { measureSteady, type SteadyResult } from './steady.ts'

/** All that was measured of delegations. */
export interface DelegationResults {
  readonly held: readonly HeldResult[]
  readonly steady: readonly SteadyResult[]
  readonly recovery: readonly RecoveryResult[]
  readonly busy: readonly BusyResult[]
}

async function measureLasting(stage: Stage, engine: LastingEngine, plan: DelegationPlan) {
  const steady = await measureSteady(stage, engine, plan)
  const recovery = await measureRecovery(stage, engine, plan)
  return { steady, recovery }
}

/** Measures one after the other, since all share the processors. */
async function measure(plan: DelegationPlan, logFolder: string): Promise<DelegationResults> {
  await using stage = await createStage(logFolder)
  await using file = sqliteFile(logFolder)
  await using memory = sqliteInMemory()
  await using shared = await redis()

  const held = [await measureHeld(stage, memory, plan), await measureHeld(stage, shared, plan)]
  const inFile = await measureLasting(stage, file, plan)
  const inRedis = await measureLasting(stage, shared, plan)
  const busy = [await measureBusy(stage, memory, plan), await measureBusy(stage, shared, plan)]
  return {
    held,
    steady: [inFile.steady, inRedis.steady],
    recovery: [inFile.recovery, inRedis.recovery],
    busy,
  }
}

/** Measures what delegations cost and how soon they are acted on; gives the report. */
export async function benchDelegations(plan: DelegationPlan, logFolder: string): Promise<string> {
  if (Bun.which('redis-server') === null)
    throw new Error('redis-server is needed, and not installed')
  return renderDelegationReport(plan, await measure(plan, logFolder))
}
