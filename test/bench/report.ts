import type { ObservationCost } from './observed.ts'
import { ratioLines } from './ratios.ts'
import { accessLevels, type Measurements, type Sample } from './rounds.ts'
import { cpuUsPerToken, latencyMs, tokensPerSecond, withoutWarmUp } from './samples.ts'
import { type SubjectName, subjectNames } from './subject.ts'
import { type Row, renderTable } from './table.ts'

/** Start-up times, what was measured under load, and how busy the machine was beside it. */
export interface Results extends Measurements {
  readonly observation: ObservationCost
  readonly healthyAfterMs: Readonly<Record<SubjectName, number>>
  /** Share (0 to 1) of processor time that other programs took under load. */
  readonly othersShare: number
}

function loadRow(kind: string, subject: SubjectName, samples: readonly Sample[]): Row {
  return [
    kind,
    subject,
    tokensPerSecond(samples).toFixed(0),
    latencyMs(samples, 0.5).toFixed(1),
    latencyMs(samples, 0.99).toFixed(1),
    cpuUsPerToken(samples).toFixed(0),
  ]
}

function memoryAfter({ memory }: Results, subject: SubjectName, tokens: number): string {
  const found = memory.find((m) => m.subject === subject && m.tokens === tokens)
  return found ? found.residentMiB.toFixed(0) : '–'
}

function memoryAtRest({ rested }: Results, subject: SubjectName): string {
  return rested.find((sample) => sample.subject === subject)?.residentMiB.toFixed(0) ?? '–'
}

function processRow(results: Results, subject: SubjectName): Row {
  return [
    subject,
    results.healthyAfterMs[subject].toFixed(0),
    memoryAfter(results, subject, 50_000),
    memoryAfter(results, subject, 100_000),
    memoryAtRest(results, subject),
  ]
}

/** Everything as text: the ratios, then the tables that they come from. */
export function renderReport(results: Results): string {
  const kinds = accessLevels.map((access) => ({
    kind: access as string,
    samples: results.samples.filter((sample) => sample.access === access),
  }))
  const load = [...kinds, { kind: 'burst', samples: results.bursts }].flatMap(({ kind, samples }) =>
    subjectNames.map((subject) => loadRow(kind, subject, withoutWarmUp(samples, subject))),
  )
  const processes = subjectNames.map((subject) => processRow(results, subject))
  return [
    ratioLines(results).join('\n'),
    renderTable([['load', 'program', 'tokens/s', 'p50 ms', 'p99 ms', 'CPU µs/token'], ...load]),
    renderTable([
      ['program', 'healthy ms', 'MiB after 50,000', 'MiB after 100,000 tokens', 'MiB at rest'],
      ...processes,
    ]),
    '',
  ].join('\n\n')
}
