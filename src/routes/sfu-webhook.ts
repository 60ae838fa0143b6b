import { Elysia } from 'elysia'
import type { Delegations, WebhookReport } from '../delegation/delegations.ts'
import type { ParticipantKey } from '../delegation/life/record.ts'
import type { ConnectionReport, DelegationSignal } from '../delegation/life/signals.ts'
import { readBodyBytes } from '../http/json-body.ts'
import type { RequestLog } from '../http/request-log.ts'
import { readWebhook, type Webhook, type WebhookVerifier } from '../livekit/webhook.ts'
import { COMMON_ERRORS, emptyAnswer, errorAnswer } from './answers.ts'

/** Reasons that mean that another connection replaces this one. */
const REPLACED: readonly (string | undefined)[] = ['DUPLICATE_IDENTITY', 'MIGRATION']

function connectionReport(webhook: Webhook): ConnectionReport {
  const { event, disconnectReason, participantId, connectedBy, createdAt } = webhook
  return {
    cause: disconnectReason === undefined ? event : `${event} (${disconnectReason})`,
    participantId,
    connectedBy,
    // The SFU reports whole seconds.
    happenedBy: createdAt === undefined ? undefined : createdAt * 1000 + 999,
  }
}

function reasonOf({ disconnectReason }: Webhook) {
  const onPurpose = disconnectReason === 'CLIENT_INITIATED'
  return { onPurpose, replaced: REPLACED.includes(disconnectReason) }
}

function signalOf(webhook: Webhook): DelegationSignal | undefined {
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

/** Translates a webhook into a report to delegations; `undefined` if it does not concern them. */
export function webhookReport(webhook: Webhook): WebhookReport | undefined {
  const { room, identity } = webhook
  const signal = signalOf(webhook)
  if (signal === undefined || room === undefined) return undefined
  if (signal.type === 'room-finished') return { room, identity: undefined, signal }
  return identity === undefined ? undefined : { room, identity, signal }
}

/** Options of {@link sfuWebhookRoutes}. */
export interface SfuWebhookRoutesOptions {
  readonly verifier: WebhookVerifier
  readonly delegations: Delegations
  readonly requestLog: RequestLog
  /** Called with the event of every webhook. */
  readonly onWebhook: (event: string) => void
  /** Called when a participant has connected. */
  readonly onJoined: (key: ParticipantKey) => Promise<void>
}

const MAX_BYTES = 1024 * 1024

const RESPONSES = {
  200: emptyAnswer('The event was taken notice of.'),
  401: errorAnswer(
    '`M_UNAUTHORIZED`: the webhook is not signed by the SFU.',
    'M_UNAUTHORIZED',
    'The webhook is not signed by the SFU.',
  ),
  405: COMMON_ERRORS[405],
  413: errorAnswer(
    '`M_TOO_LARGE`: the body is larger than 1 MiB.',
    'M_TOO_LARGE',
    'The body is larger than 1024 KiB.',
  ),
  503: COMMON_ERRORS[503],
}

const REQUEST_BODY = {
  required: false,
  content: {
    'application/webhook+json': {
      schema: {
        description: 'LiveKit\'s "WebhookEvent" as JSON. Any other signed body is ignored.',
      },
      example: {
        event: 'participant_left',
        room: { name: 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc' },
        participant: {
          identity: 'J+T45tGruxc+HrUOqJJlyQSV33m728Cme4+vt8/SWrU',
          disconnectReason: 'CLIENT_INITIATED',
        },
        id: 'EV_eugWmGhovZmm',
        createdAt: '1767323045',
      },
    },
  },
} as const

/** `POST /sfu_webhook`: receives the webhooks of the SFU. */
export function sfuWebhookRoutes(options: SfuWebhookRoutesOptions) {
  const { verifier, delegations, requestLog, onWebhook, onJoined } = options

  return new Elysia({ name: 'sfu-webhook' }).post(
    '/sfu_webhook',
    async function receiveWebhook({ request }) {
      const digest = await verifier.verifyToken(request.headers.get('authorization'))
      const webhook = readWebhook(await readBodyBytes(request, MAX_BYTES), digest)
      if (webhook === undefined) return {}
      const record = requestLog.of(request)
      record.event = webhook.event
      onWebhook(webhook.event)
      const report = webhookReport(webhook)
      if (report === undefined) return {}
      record.room = report.room
      const { room, identity } = report
      if (identity !== undefined) record.identity = identity
      await delegations.report(report)
      if (report.signal.type === 'joined' && identity !== undefined)
        await onJoined({ room, identity })
      return {}
    },
    {
      // The signature covers the raw bytes of the body.
      parse: 'none',
      detail: {
        operationId: 'sfuWebhook',
        tags: ['Operation'],
        summary: "Receives the SFU's webhooks",
        description:
          "Add its URL to `webhook.urls` in LiveKit's configuration. `Authorization` is a JWT " +
          'signed with the API secret, whose `sha256` is that of the body. After a 503 the SFU ' +
          'tries again.',
        security: [{ webhookToken: [] }],
        requestBody: REQUEST_BODY,
        responses: RESPONSES,
      },
    },
  )
}
