import { join } from 'node:path'
import { CREDENTIAL_SETTINGS } from '../../support/credentials.ts'
import { type ServiceProcess, startService } from '../../support/service-process.ts'
import { until } from '../../support/until.ts'
import { type Child, startChild } from '../child.ts'
import type { Engine } from './engines.ts'
import type { GeneratorOrder, GeneratorReport } from './generator.ts'
import { SERVER_NAME } from './participants.ts'
import type { StandInsOrder, StandInsReport } from './stand-ins.ts'

/** What surrounds the measured service. */
export interface Stage {
  readonly standIns: Child<StandInsOrder, StandInsReport>
  /** Starts the service with what an engine holds. */
  start(engine: Engine): Promise<ServiceProcess>
  /** Has requests made. @throws {Error} when one was not answered with 200. */
  generate(order: GeneratorOrder): Promise<GeneratorReport>
  [Symbol.asyncDispose](): Promise<void>
}

const binary = join(import.meta.dir, '../../../dist/jwt-service')
const pollMs = 20

/** Starts homeserver, SFU and generator. */
export async function createStage(logFolder: string): Promise<Stage> {
  const standIns = startChild<StandInsOrder, StandInsReport>('delegations/stand-ins.ts')
  const generator = startChild<GeneratorOrder, GeneratorReport>('delegations/generator.ts')
  const { ports } = await standIns.ask('reset')
  const homeserver = `${SERVER_NAME}=http://127.0.0.1:${ports.homeserver}`
  const settings = {
    LIVEKIT_URL: `ws://127.0.0.1:${ports.sfu}`,
    ...CREDENTIAL_SETTINGS,
    LIVEKIT_FULL_ACCESS_HOMESERVERS: SERVER_NAME,
    LIVEKIT_FEDERATION_URL_OVERRIDES: homeserver,
    LIVEKIT_CS_API_URL_OVERRIDES: homeserver,
    LIVEKIT_RATE_LIMIT: 'off',
    LIVEKIT_LOG_FORMAT: 'json',
  }
  const logFile = join(logFolder, 'delegations.log')

  return {
    standIns,
    start: ({ env }) =>
      startService({ command: [binary, 'serve'], env: { ...settings, ...env }, logFile }),
    async generate(order) {
      const report = await generator.ask(order)
      if (report.error !== undefined) throw new Error(`${order.kind}: ${report.error}`)
      return report
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([standIns.stop(), generator.stop()])
    },
  }
}

/**
 * Waits until the stand-ins have seen something.
 *
 * @returns how long it took, in milliseconds
 * @throws {Error} when that takes longer than `limitMs`
 */
export async function awaitSeen(
  { standIns }: Stage,
  isThere: (report: StandInsReport) => boolean,
  limitMs: number,
): Promise<number> {
  const startedAt = performance.now()
  await until(async () => isThere(await standIns.ask('counts')), limitMs, pollMs)
  return performance.now() - startedAt
}
