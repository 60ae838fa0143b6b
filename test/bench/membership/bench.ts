import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CREDENTIAL_SETTINGS } from '../../support/credentials.ts'
import { startService } from '../../support/service-process.ts'
import { type Child, startChild } from '../child.ts'
import { SERVER_NAME } from '../delegations/participants.ts'
import { cpuTimeMs, residentMiB } from '../process-stats.ts'
import { renderTable } from '../table.ts'
import type { StandInsOrder, StandInsReport } from './stand-ins.ts'
import { INTERVAL_MS, TOKENS, writeTokens } from './tokens.ts'

/** What the regular checks cost. */
interface MembershipResult {
  readonly connected: 'all' | 'none'
  /** Share of one processor: 1 is all of it. */
  readonly cpu: number
  readonly residentMiB: number
  readonly presenceChecks: number
  readonly listings: number
}

const BINARY = join(import.meta.dir, '../../../dist/jwt-service')
const WARM_UP_MS = 10_000
const QUICK_MS = 15_000

async function measure(
  standIns: Child<StandInsOrder, StandInsReport>,
  connected: 'all' | 'none',
  measuredMs: number,
  logFolder: string,
): Promise<MembershipResult> {
  const order = `${connected} connected` as const
  const { ports } = await standIns.ask(order)
  const path = join(logFolder, 'membership.sqlite')
  for (const suffix of ['', '-wal', '-shm']) await rm(path + suffix, { force: true })
  await writeTokens(path)
  await using service = await startService({
    command: [BINARY, 'serve'],
    env: {
      LIVEKIT_URL: `ws://127.0.0.1:${ports.sfu}`,
      ...CREDENTIAL_SETTINGS,
      LIVEKIT_AS_TOKEN: 'as-token-of-the-bench-0123456789',
      LIVEKIT_HS_TOKEN: 'hs-token-of-the-bench-0123456789',
      LIVEKIT_HS_SERVER_NAME: SERVER_NAME,
      LIVEKIT_CS_API_URL_OVERRIDES: `${SERVER_NAME}=http://127.0.0.1:${ports.homeserver}`,
      LIVEKIT_STATE_FILE: path,
    },
    logFile: join(logFolder, 'membership.log'),
  })
  await Bun.sleep(WARM_UP_MS)
  await standIns.ask(order)
  const before = await cpuTimeMs(service.pid)
  const startedAt = performance.now()
  await Bun.sleep(measuredMs)
  const elapsedMs = performance.now() - startedAt
  const cpu = ((await cpuTimeMs(service.pid)) - before) / elapsedMs
  const { presenceChecks, listings } = await standIns.ask('counts')
  return { connected, cpu, residentMiB: await residentMiB(service.pid), presenceChecks, listings }
}

/** Measures what checking the members of many rooms costs; gives the report. */
export async function benchMembership(isQuick: boolean, logFolder: string): Promise<string> {
  await using standIns = startChild<StandInsOrder, StandInsReport>('membership/stand-ins.ts')
  const measuredMs = isQuick ? QUICK_MS : INTERVAL_MS
  const results = [
    await measure(standIns, 'all', measuredMs, logFolder),
    await measure(standIns, 'none', measuredMs, logFolder),
  ]
  const rows = results.map((result) => [
    result.connected,
    `${(result.cpu * 100).toFixed(1)} %`,
    `${result.residentMiB.toFixed(0)} MiB`,
    String(result.presenceChecks),
    String(result.listings),
  ])
  const head = ['connected', 'CPU of one core', 'memory', 'questions to SFU', 'to homeserver']
  const what = `${TOKENS} remembered tokens, ${measuredMs / 1_000} s of an interval of ${INTERVAL_MS / 1_000} s`
  return `${what}\n\n${renderTable([head, ...rows])}`
}
