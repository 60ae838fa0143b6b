import { median, percentile } from '../../bench/statistics.ts'
import type { Sent } from '../support/delayed-events.ts'
import type { Life } from './life.ts'
import type { Blackout } from './replicas.ts'

/** A life, and how its leave was announced. */
export interface Ending {
  readonly life: Life
  readonly sent: Sent | undefined
}

/** What is to be told of many lives. */
export interface Summary {
  readonly lives: number
  readonly prompt: number
  readonly byService: number
  readonly byTimer: number
  readonly medianMs: number
  readonly p99Ms: number
  readonly maxMs: number
}

const PROMPT_MS = 2_000

/** Time without a live replica does not count, and a returning replica gets the full time again. */
function extended(from: number, allowedMs: number, blackouts: readonly Blackout[]): number {
  let end = from + allowedMs
  for (const blackout of blackouts) {
    if (blackout.to > from && blackout.from < end) end = Math.max(end, blackout.to + allowedMs)
  }
  return end
}

/** Whether all earlier webhooks arrived in order before the one about the departure. */
function isOrderly({ left, leftAt, before, kind }: Life): boolean {
  if (kind === 'never joins' || left?.at === undefined) return false
  return before.every(({ at, regular }) => regular && at !== undefined && at < leftAt)
}

function latestEnd(life: Life, blackouts: readonly Blackout[]): number {
  const { left, leftAt, before, delayMs } = life
  if (isOrderly(life)) return extended(left?.at ?? leftAt, PROMPT_MS, blackouts)
  const lastNews = Math.max(leftAt, left?.at ?? 0, ...before.map(({ at = 0 }) => at))
  // The next check of presence or the end of the wait tells, or else the homeserver's own timer.
  return extended(lastNews, delayMs + PROMPT_MS, blackouts)
}

/** The defect of an ending, if there is one. */
export function faultOf({ life, sent }: Ending, blackouts: readonly Blackout[]) {
  const { kind, leftAt, left, before, delayMs, caller } = life
  const facts = {
    kind,
    id: caller.delayId,
    identity: caller.identity,
    delayMs,
    leftAt,
    left,
    before,
    sent,
  }
  if (sent === undefined) return { fault: 'never announced', ...facts }
  const lateMs = sent.at - latestEnd(life, blackouts)
  if (lateMs > 0) return { fault: `announced ${lateMs} ms too late`, ...facts }
  const inTime = isOrderly(life) && sent.by === 'timer'
  if (inTime) return { fault: 'announced by the homeserver alone', ...facts }
  return undefined
}

/** Sums up how quickly departures were announced where a webhook told of them and somebody lived. */
export function summarize(endings: readonly Ending[], blackouts: readonly Blackout[]): Summary {
  const prompt = endings.flatMap(({ life, sent }) => {
    const from = life.left?.at ?? Number.POSITIVE_INFINITY
    const to = sent?.at ?? 0
    const inDark = blackouts.some((blackout) => blackout.from < to && blackout.to > from)
    return isOrderly(life) && !inDark ? [to - from] : []
  })
  const by = (who: Sent['by']) => endings.filter(({ sent }) => sent?.by === who).length
  return {
    lives: endings.length,
    prompt: prompt.length,
    byService: by('service'),
    byTimer: by('timer'),
    medianMs: median(prompt),
    p99Ms: percentile(prompt, 0.99),
    maxMs: Math.max(...prompt),
  }
}
