import { type AccessLevel, accessLevels, type Measurements, type Sample } from './rounds.ts'
import { median, percentile, sum } from './statistics.ts'
import { type SubjectName, subjectNames } from './subject.ts'
import { type Row, renderTable } from './table.ts'

/** Start-up times, and what was measured under load. */
export interface Results extends Measurements {
  readonly healthyAfterMs: Readonly<Record<SubjectName, number>>
}

function tokensPerSecond(samples: readonly Sample[]): number {
  const tokens = sum(samples.map((sample) => sample.tokens))
  return (tokens * 1_000) / sum(samples.map((sample) => sample.elapsedMs))
}

function cpuUsPerToken(samples: readonly Sample[]): number {
  const tokens = sum(samples.map((sample) => sample.tokens))
  return (sum(samples.map((sample) => sample.cpuMs)) * 1_000) / tokens
}

function select({ samples }: Results, subject: SubjectName, access: AccessLevel): Sample[] {
  // The first round warms up.
  return samples.filter((s) => s.subject === subject && s.access === access && s.round > 0)
}

function loadRow(results: Results, subject: SubjectName, access: AccessLevel): Row {
  const samples = select(results, subject, access)
  const latenciesUs = samples.flatMap((sample) => sample.latenciesUs)
  return [
    access,
    subject,
    tokensPerSecond(samples).toFixed(0),
    (percentile(latenciesUs, 0.5) / 1_000).toFixed(1),
    (percentile(latenciesUs, 0.99) / 1_000).toFixed(1),
    cpuUsPerToken(samples).toFixed(0),
  ]
}

function ratioLine(results: Results, access: AccessLevel): string {
  const service = select(results, 'service', access)
  const floor = select(results, 'floor', access)
  const byRound = service.flatMap((sample, index) => {
    const other = floor[index]
    return other ? [tokensPerSecond([sample]) / tokensPerSecond([other])] : []
  })
  const throughput = median(byRound).toFixed(2)
  const cpu = (cpuUsPerToken(service) / cpuUsPerToken(floor)).toFixed(2)
  return `${access}: throughput ${throughput} of the floor (aim 0.80), CPU per token ${cpu} times`
}

function memoryAfter(results: Results, subject: SubjectName, tokens: number): string {
  const found = results.memory.find((m) => m.subject === subject && m.tokens === tokens)
  return found ? found.residentMiB.toFixed(0) : '–'
}

function processRow(results: Results, subject: SubjectName): Row {
  return [
    subject,
    results.healthyAfterMs[subject].toFixed(0),
    memoryAfter(results, subject, 50_000),
    memoryAfter(results, subject, 100_000),
  ]
}

/** Everything as text: two tables and the ratios. */
export function renderReport(results: Results): string {
  const load = accessLevels.flatMap((access) =>
    subjectNames.map((subject) => loadRow(results, subject, access)),
  )
  const processes = subjectNames.map((subject) => processRow(results, subject))
  return [
    renderTable([['access', 'program', 'tokens/s', 'p50 ms', 'p99 ms', 'CPU µs/token'], ...load]),
    renderTable([
      ['program', 'healthy ms', 'MiB after 50,000', 'MiB after 100,000 tokens'],
      ...processes,
    ]),
    ['service / floor', ...accessLevels.map((access) => ratioLine(results, access))].join('\n'),
    '',
  ].join('\n\n')
}
