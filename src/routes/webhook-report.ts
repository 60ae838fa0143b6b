import type { WebhookReport } from '../delegation/delegations.ts'
import type { ConnectionReport, DelegationEvent } from '../delegation/life/signals.ts'
import type { Webhook } from '../livekit/webhook.ts'

/** Another connection has taken the place of this one, or the SFU moves it. */
const REPLACED: readonly (string | undefined)[] = ['DUPLICATE_IDENTITY', 'MIGRATION']

function connectionReport(webhook: Webhook): ConnectionReport {
  const { event, disconnectReason, participantId, connectedBy, createdAt } = webhook
  return {
    cause: disconnectReason === undefined ? event : `${event} (${disconnectReason})`,
    participantId,
    connectedBy,
    // The SFU tells whole seconds.
    happenedBy: createdAt === undefined ? undefined : createdAt * 1000 + 999,
  }
}

function reasonOf({ disconnectReason }: Webhook) {
  const onPurpose = disconnectReason === 'CLIENT_INITIATED'
  return { onPurpose, replaced: REPLACED.includes(disconnectReason) }
}

function eventOf(webhook: Webhook): DelegationEvent | undefined {
  const report = connectionReport(webhook)
  switch (webhook.event) {
    case 'participant_joined':
      return { type: 'joined', ...report }
    case 'participant_left':
      return { type: 'left', ...reasonOf(webhook), ...report }
    case 'participant_connection_aborted':
      return { type: 'aborted', ...reasonOf(webhook), ...report }
    case 'room_finished':
      return { type: 'room-finished', ...report }
    default:
      return undefined
  }
}

/** What a webhook means for delegations; `undefined` when it means nothing. */
export function webhookReport(webhook: Webhook): WebhookReport | undefined {
  const { room, identity } = webhook
  const event = eventOf(webhook)
  if (event === undefined || room === undefined) return undefined
  if (event.type === 'room-finished') return { room, identity: undefined, event }
  return identity === undefined ? undefined : { room, identity, event }
}
