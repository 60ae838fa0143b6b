import { renderTable } from '../table.ts'
import type { DelegationResults } from './bench.ts'
import type { DelegationPlan } from './plan.ts'
import type { CpuShares } from './steady.ts'

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

function cpuCells({ service, engine }: CpuShares): string[] {
  return [percent(service), percent(engine)]
}

function heldTable({ held }: DelegationResults): string {
  const rows = held.map(({ engine, serviceKiB, engineKiB, acceptedPerSecond }) => [
    engine,
    serviceKiB.toFixed(2),
    engineKiB.toFixed(2),
    acceptedPerSecond.toFixed(0),
  ])
  return renderTable([['engine', 'KiB in the service', 'KiB in Redis', 'accepted/s'], ...rows])
}

function steadyTable({ steady }: DelegationResults): string {
  const rows = steady.map(({ engine, cpu, requestsPerSecond, residentMiB, allCheckedMs }) => [
    engine,
    ...cpuCells(cpu),
    requestsPerSecond.toFixed(0),
    residentMiB.toFixed(0),
    (allCheckedMs / 1_000).toFixed(1),
  ])
  const head = [
    'engine',
    'CPU',
    'CPU of Redis',
    'requests/s',
    'MiB resident',
    's until all checked',
  ]
  return renderTable([head, ...rows])
}

function recoveryTable({ recovery }: DelegationResults): string {
  const rows = recovery.map(({ engine, firstActionMs, healthyMs }) => [
    engine,
    firstActionMs.toFixed(0),
    healthyMs.toFixed(0),
  ])
  return renderTable([['engine', 'first action ms', 'healthy ms'], ...rows])
}

function restartTable({ busy }: DelegationResults): string {
  const rows = busy.map(({ engine, cpu, positions, restarts, outside, missed }) => [
    engine,
    ...cpuCells(cpu),
    String(restarts),
    percent(positions.earliest),
    percent(positions.median),
    percent(positions.p99),
    percent(positions.latest),
    String(outside),
    String(missed),
  ])
  const positions = ['earliest', 'median', 'p99', 'latest', 'not in 80–90 %', 'missed']
  return renderTable([['engine', 'CPU', 'CPU of Redis', 'restarts', ...positions], ...rows])
}

function webhookTable({ busy }: DelegationResults): string {
  const rows = busy.map(({ engine, webhookToSendMs: { p50, p99, worst } }) => [
    engine,
    ...[p50, p99, worst].map((ms) => ms.toFixed(1)),
  ])
  return renderTable([['engine', 'p50 ms', 'p99 ms', 'worst ms'], ...rows])
}

/** Everything as text, next to what was aimed for. */
export function renderDelegationReport(plan: DelegationPlan, results: DelegationResults): string {
  const { held, busy, busyDelayMs, periods, webhooks, webhooksPerSecond } = plan
  const delay = `${busyDelayMs / 1_000} s`
  return [
    `Memory of each of ${held} delegations, taken over through the API (aim: under 1.5 KiB)`,
    heldTable(results),
    `Steady state with ${held} delegations of 1 h, found in the store; 100 % is one processor`,
    steadyTable(results),
    `Recovery of ${held} delegations after kill -9, from the start on (aim: 1000 ms)`,
    recoveryTable(results),
    `Restarts of ${busy} delegations of ${delay} over ${periods} periods, in shares of the delay (aim: all in 80–90 %)`,
    restartTable(results),
    `Webhook to "send" request with these held, ${webhooks} at ${webhooksPerSecond}/s (aim: p99 50 ms)`,
    webhookTable(results),
    '',
  ].join('\n\n')
}
