import type { Results } from './report.ts'
import { accessLevels, burstSize, type Sample } from './rounds.ts'
import { cpuUsPerToken, latencyMs, tokensPerSecond, withoutWarmUp } from './samples.ts'

/** Beyond this, the ratios say more about the other programs than about the service. */
const credibleOthersShare = 0.1
const memoryAfterTokens = 100_000

const aims = { cpu: 1.25, p99: 1.5, burst: 1.1, memoryMiB: 80, observation: 1.05 } as const

type Measure = (samples: readonly Sample[]) => number

function ratio(samples: readonly Sample[], measure: Measure): number {
  const [service, floor] = [withoutWarmUp(samples, 'service'), withoutWarmUp(samples, 'floor')]
  return measure(service) / measure(floor)
}

function judged(name: string, value: number, aim: number, digits: number): string {
  const verdict = value <= aim ? 'met' : 'MISSED'
  return `  ${name.padEnd(44)} ${value.toFixed(digits).padStart(6)}  (aim ${aim}, ${verdict})`
}

function memoryLine({ rested }: Results): string {
  const last = rested.find((sample) => sample.subject === 'service')
  const value = last?.residentMiB ?? Number.NaN
  const tokens = last?.tokens ?? 0
  const name = `MiB at rest after ${tokens.toLocaleString('en')} tokens`
  if (tokens >= memoryAfterTokens) return judged(name, value, aims.memoryMiB, 0)
  return `  ${name.padEnd(44)} ${value.toFixed(0).padStart(6)}  (the aim is for 100,000)`
}

function credibility({ othersShare }: Results): string {
  const percent = `${(othersShare * 100).toFixed(0)} %`
  if (othersShare <= credibleOthersShare) return `Other programs took ${percent} of the processors.`
  return `DO NOT BELIEVE THESE RATIOS: other programs took ${percent} of the processors.`
}

/** What the service costs, as a multiple of the floor, and whether the machine was quiet enough. */
export function ratioLines(results: Results): string[] {
  const byAccess = accessLevels.flatMap((access) => {
    const samples = results.samples.filter((sample) => sample.access === access)
    return [
      judged(`CPU per token, ${access} access`, ratio(samples, cpuUsPerToken), aims.cpu, 2),
      judged(
        `p99, ${access} access`,
        ratio(samples, (s) => latencyMs(s, 0.99)),
        aims.p99,
        2,
      ),
    ]
  })
  const { bursts } = results
  return [
    'service / floor',
    ...byAccess,
    judged(
      `CPU of ${burstSize} at once into one room`,
      ratio(bursts, cpuUsPerToken),
      aims.burst,
      2,
    ),
    judged(
      'duration of the same',
      ratio(bursts, (s) => 1 / tokensPerSecond(s)),
      aims.burst,
      2,
    ),
    memoryLine(results),
    'service with metrics, limits and log / without',
    ...accessLevels.map((access) => {
      const name = `CPU per token, ${access} access`
      return judged(name, results.observation[access], aims.observation, 3)
    }),
    credibility(results),
  ]
}
