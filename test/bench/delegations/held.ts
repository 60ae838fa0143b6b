import { residentMiB } from '../process-stats.ts'
import type { Engine } from './engines.ts'
import type { DelegationPlan } from './plan.ts'
import { awaitSeen, type Stage } from './stage.ts'

/** Memory that delegations take. */
export interface HeldResult {
  readonly engine: string
  /** Growth of the service's resident memory, per delegation. */
  readonly serviceKiB: number
  /** Growth of what the engine uses outside of the service, per delegation. */
  readonly engineKiB: number
  /** How many were accepted in a second, client, homeserver and SFU on the same machine. */
  readonly acceptedPerSecond: number
}

const DELAY_MS = 3_600_000
const WARM_UP_ROUNDS = 3
const WARM_UP_SHARE = 0.05
const CONNECTIONS = 32
const SETTLE_MS = 3_000
const LIMIT_MS = 180_000

/** Has delegations taken over through the API, by participants who are on the SFU. */
export async function measureHeld(
  stage: Stage,
  engine: Engine,
  { held }: DelegationPlan,
): Promise<HeldResult> {
  await engine.reset()
  await using service = await stage.start(engine)

  /** Gives how long the requests took, in milliseconds. */
  async function delegate(first: number, count: number): Promise<number> {
    const { standIns } = stage
    await standIns.ask('reset')
    const load = { connections: CONNECTIONS, perSecond: Number.MAX_SAFE_INTEGER }
    const startedAt = performance.now()
    const order = { port: service.port, first, count, delayMs: DELAY_MS, ...load }
    await stage.generate({ kind: 'delegate', ...order })
    const elapsedMs = performance.now() - startedAt
    await awaitSeen(stage, ({ restartCount }) => restartCount >= count, LIMIT_MS)
    return elapsedMs
  }

  const warmUp = Math.ceil(held * WARM_UP_SHARE)
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await delegate(0, warmUp)
  const before = { residentMiB: await residentMiB(service.pid), ...(await engine.usage()) }
  const elapsedMs = await delegate(warmUp, held)
  await Bun.sleep(SETTLE_MS)
  const after = { residentMiB: await residentMiB(service.pid), ...(await engine.usage()) }
  return {
    engine: engine.name,
    serviceKiB: ((after.residentMiB - before.residentMiB) * 1_024) / held,
    engineKiB: (after.bytes - before.bytes) / 1_024 / held,
    acceptedPerSecond: (held * 1_000) / elapsedMs,
  }
}
