import type { Transition } from '../delegation/life/moves.ts'
import type { Delegation } from '../delegation/life/record.ts'
import type { Logger } from '../log.ts'
import type { Trouble } from '../trouble.ts'

/** What the absence of webhooks is called. */
export type WebhookWatchCode = 'webhook.never-comes'

/** Notices that the SFU delivers no webhooks, and warns of it once. */
export interface WebhookWatch {
  /** A webhook has arrived. */
  noteWebhook(): void
  /** A delegation has changed its state. */
  noteTransition(
    delegation: Pick<Delegation, 'acceptedAt'>,
    transition: Pick<Transition, 'cause'>,
  ): void
}

/** One participant may join without media, which the SFU does not report. */
const ENOUGH = 3
/**
 * Causes of transitions that a webhook would have brought about earlier. With several replicas another
 * one may get the webhook a moment after this one has asked, so there only leaves count: they are found
 * by asking twice, seconds apart.
 */
const FOUND_BY_ASKING: Readonly<Record<'one' | 'several', readonly string[]>> = {
  one: ['found present', 'confirmed absent'],
  several: ['confirmed absent'],
}

const NEVER_COMES: Trouble<WebhookWatchCode> = {
  code: 'webhook.never-comes',
  found: `${ENOUGH} participants have come or left, and no webhook said so`,
}

/**
 * Creates {@link WebhookWatch}.
 *
 * @param since - milliseconds since the epoch; what came before is no witness, as webhooks were missed
 *   while no process ran
 * @param replicas - how many can share the delegations
 */
export function watchWebhooks(
  logger: Logger,
  since: number,
  replicas: 'one' | 'several',
): WebhookWatch {
  let hasArrived = false
  let foundByAsking = 0

  return {
    noteWebhook() {
      hasArrived = true
    },
    noteTransition({ acceptedAt }, { cause }) {
      if (hasArrived || acceptedAt < since || !FOUND_BY_ASKING[replicas].includes(cause)) return
      foundByAsking += 1
      if (foundByAsking !== ENOUGH) return
      logger.warn('the SFU delivers no webhooks: leaves are noticed late', { trouble: NEVER_COMES })
    },
  }
}
