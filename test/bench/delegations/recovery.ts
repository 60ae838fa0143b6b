import { median } from '../statistics.ts'
import { sharedNow } from './clock.ts'
import type { LastingEngine } from './engines.ts'
import type { DelegationPlan } from './plan.ts'
import { awaitSeen, type Stage } from './stage.ts'

/** How soon a service is back that was killed; medians. */
export interface RecoveryResult {
  readonly engine: string
  /** From the start of the process to the first request at homeserver or SFU. */
  readonly firstActionMs: number
  /** From the start of the process to the healthy answer. */
  readonly healthyMs: number
}

/** So long nobody is alive: replicas take it that webhooks were missed. */
const AWAY_MS = 4_000
const LIMIT_MS = 30_000

/** Kills and starts a service with what the store holds already. */
export async function measureRecovery(
  stage: Stage,
  engine: LastingEngine,
  { recoveries }: DelegationPlan,
): Promise<RecoveryResult> {
  const { standIns } = stage
  const firstActionsMs: number[] = []
  const healthyMs: number[] = []
  let service = await stage.start(engine)
  for (let recovery = 0; recovery < recoveries; recovery += 1) {
    await service.kill()
    await Bun.sleep(AWAY_MS)
    await standIns.ask('reset')
    const startedAt = sharedNow()
    service = await stage.start(engine)
    await awaitSeen(stage, ({ firstActionAt }) => firstActionAt !== undefined, LIMIT_MS)
    const { firstActionAt = Number.NaN } = await standIns.ask('counts')
    firstActionsMs.push(firstActionAt - startedAt)
    healthyMs.push(service.healthyAfterMs)
  }
  await service.kill()
  return {
    engine: engine.name,
    firstActionMs: median(firstActionsMs),
    healthyMs: median(healthyMs),
  }
}
