import type { Sfu } from '../../support/sfu.ts'
import type { WebhookFields } from '../../support/sfu-webhook.ts'
import type { Replicas } from './replicas.ts'

/** What became of a webhook. Times are milliseconds since the epoch. */
export interface Delivery {
  /** When the attempt began that was answered with 200; `undefined` when it was lost for good. */
  readonly at: number | undefined
  /** Whether it came in its turn and once. */
  readonly regular: boolean
}

/** Counts of what was done to webhooks. */
export interface WebhookCounts {
  sent: number
  lost: number
  doubled: number
  late: number
  retried: number
}

const LOST = 0.04
const DOUBLED = 0.08
const LATE = 0.08
const MAX_LATE_MS = 2_500
const ATTEMPT_MS = 2_000
const GIVE_UP_MS = 60_000

/** Delivers webhooks to random replicas: often late, twice, out of order or not at all. */
export function createPostman(sfu: Sfu, replicas: Replicas) {
  const counts: WebhookCounts = { sent: 0, lost: 0, doubled: 0, late: 0, retried: 0 }
  const underWay = new Set<Promise<unknown>>()

  async function attempt(event: WebhookFields, random: () => number): Promise<boolean> {
    const url = `${replicas.anyUrl(random)}/sfu_webhook`
    const answered = sfu.sendWebhook(url, event).then(
      ({ status }) => status === 200,
      () => false,
    )
    return Promise.race([answered, Bun.sleep(ATTEMPT_MS).then(() => false)])
  }

  async function insist(event: WebhookFields, random: () => number): Promise<number> {
    const end = Date.now() + GIVE_UP_MS
    for (;;) {
      const at = Date.now()
      if (await attempt(event, random)) return at
      if (at > end) throw new Error('no replica took a webhook within a minute')
      counts.retried += 1
      await Bun.sleep(30 + random() * 100)
    }
  }

  async function deliver(event: WebhookFields, random: () => number): Promise<Delivery> {
    counts.sent += 1
    const fate = random()
    if (fate < LOST) {
      counts.lost += 1
      return { at: undefined, regular: false }
    }
    const late = fate < LOST + LATE
    const doubled = random() < DOUBLED
    if (late) {
      counts.late += 1
      await Bun.sleep(random() * MAX_LATE_MS)
    }
    if (doubled) {
      counts.doubled += 1
      const again = Bun.sleep(random() * MAX_LATE_MS).then(() => insist(event, random))
      keep(again)
    }
    return { at: await insist(event, random), regular: !late }
  }

  function keep<T>(work: Promise<T>): Promise<T> {
    underWay.add(work)
    const forget = () => void underWay.delete(work)
    work.then(forget, forget)
    return work
  }

  return {
    counts,
    /** Something has happened now, and is to be reported. */
    report(event: WebhookFields, random: () => number): Promise<Delivery> {
      const createdAt = String(Math.floor(Date.now() / 1_000))
      return keep(deliver({ ...event, id: `EV_${crypto.randomUUID()}`, createdAt }, random))
    },
    /** Resolves when nothing is under way any more. */
    async finish(): Promise<void> {
      while (underWay.size > 0) await Promise.all(underWay)
    },
  }
}

export type Postman = ReturnType<typeof createPostman>
