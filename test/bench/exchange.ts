import { createAuthority } from '../support/certificates.ts'
import { CREDENTIAL_SETTINGS } from '../support/credentials.ts'
import { startChild } from './child.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { measureObservation } from './observed.ts'
import { watchOthers } from './others.ts'
import type { Plan } from './plan.ts'
import { type Results, renderReport } from './report.ts'
import { runRounds } from './rounds.ts'
import { requireSameToken } from './same-token.ts'
import type { StandInsOrder, StandInsPorts } from './stand-ins.ts'
import { measureStart, startSubject } from './subject.ts'

function settings(ports: StandInsPorts, caFile: string): Record<string, string> {
  return {
    LIVEKIT_URL: `ws://127.0.0.1:${ports.sfu}`,
    ...CREDENTIAL_SETTINGS,
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
  const children = [standIns, generator, service.process, floor.process]
  const others = await watchOthers([process.pid, ...children.map(({ pid }) => pid)])
  const subjects = [service, floor]
  const measurements = await runRounds({ subjects, serverNames, generator, plan })
  const othersShare = await others.share()
  const observation = await measureObservation({ generator, serverNames, around, plan })
  return { healthyAfterMs, ...measurements, othersShare, observation }
}

/** Measures the token exchange next to the least program for it; gives the report. */
export async function benchExchange(plan: Plan, logFolder: string): Promise<string> {
  return renderReport(await measure(plan, logFolder))
}
