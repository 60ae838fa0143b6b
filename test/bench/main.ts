import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from '../support/certificates.ts'
import { startChild } from './child.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { fullPlan, type Plan, quickPlan } from './plan.ts'
import { type Results, renderReport } from './report.ts'
import { runRounds } from './rounds.ts'
import { requireSameToken } from './same-token.ts'
import type { StandInsOrder, StandInsPorts } from './stand-ins.ts'
import { measureStart, startSubject } from './subject.ts'

function settings(ports: StandInsPorts, caFile: string): Record<string, string> {
  return {
    LIVEKIT_URL: `ws://127.0.0.1:${ports.sfu}`,
    LIVEKIT_KEY: 'benchkey',
    LIVEKIT_SECRET: 'a-secret-for-the-bench-and-nothing-else',
    LIVEKIT_FULL_ACCESS_HOMESERVERS: `localhost:${ports.full}`,
    LIVEKIT_FEDERATION_ALLOW_NETWORKS: '127.0.0.0/8,::1/128',
    LIVEKIT_RATE_LIMIT: 'off',
    LIVEKIT_LOG_FORMAT: 'json',
    NODE_EXTRA_CA_CERTS: caFile,
  }
}

async function measure(plan: Plan, logFolder: string): Promise<Results> {
  await using authority = await createAuthority()
  await using standIns = startChild<StandInsOrder, StandInsPorts>('stand-ins.ts')
  await using generator = startChild<LoadOrder, LoadResult>('generator.ts')
  const ports = await standIns.ask(await authority.issue({ dns: ['localhost'] }))
  const around = { env: settings(ports, authority.caFile), logFolder }
  const serverNames = {
    restricted: `localhost:${ports.restricted}`,
    full: `localhost:${ports.full}`,
  }

  const healthyAfterMs = {
    service: await measureStart('service', around, plan),
    floor: await measureStart('floor', around, plan),
  }
  await using parts = new AsyncDisposableStack()
  const service = await startSubject('service', around)
  parts.use(service.process)
  const floor = await startSubject('floor', around)
  parts.use(floor.process)
  await requireSameToken([service, floor], Object.values(serverNames))
  const measurements = await runRounds([service, floor], serverNames, generator, plan)
  return { healthyAfterMs, ...measurements }
}

async function main(args: readonly string[]): Promise<number> {
  const plan = args.includes('--quick') ? quickPlan : fullPlan
  const logFolder = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    process.stdout.write(renderReport(await measure(plan, logFolder)))
    return 0
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  } finally {
    await rm(logFolder, { recursive: true, force: true })
  }
}

process.exit(await main(process.argv.slice(2)))
