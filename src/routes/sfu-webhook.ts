import { Elysia } from 'elysia'
import type { Delegations } from '../delegation/delegations.ts'
import { readBodyBytes } from '../http/json-body.ts'
import type { RequestLog } from '../http/request-log.ts'
import { readWebhook, type WebhookVerifier } from '../livekit/webhook.ts'
import { COMMON_ERRORS, emptyAnswer, errorAnswer } from './answers.ts'
import { webhookReport } from './webhook-report.ts'

/** What the endpoint needs. */
export interface SfuWebhookRoutesOptions {
  readonly verifier: WebhookVerifier
  readonly delegations: Delegations
  readonly requestLog: RequestLog
}

const MAX_BYTES = 1024 * 1024

const RESPONSES = {
  200: emptyAnswer('The event was taken notice of.'),
  401: errorAnswer(
    '`M_UNAUTHORIZED`: the SFU has not signed it.',
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
        description:
          'LiveKit\'s "WebhookEvent" in its JSON form. Whatever else is signed is ignored.',
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

/** `POST /sfu_webhook`: what the SFU reports about participants. */
export function sfuWebhookRoutes(options: SfuWebhookRoutesOptions) {
  const { verifier, delegations, requestLog } = options

  return new Elysia({ name: 'sfu-webhook' }).post(
    '/sfu_webhook',
    async function receiveWebhook({ request }) {
      const digest = await verifier.verifyToken(request.headers.get('authorization'))
      const webhook = readWebhook(await readBodyBytes(request, MAX_BYTES), digest)
      if (webhook === undefined) return {}
      const record = requestLog.of(request)
      record.event = webhook.event
      const report = webhookReport(webhook)
      if (report === undefined) return {}
      record.room = report.room
      if (report.identity !== undefined) record.identity = report.identity
      await delegations.report(report)
      return {}
    },
    {
      // The signature is over the bytes of the body.
      parse: 'none',
      detail: {
        operationId: 'sfuWebhook',
        tags: ['Operation'],
        summary: "Receives the SFU's webhooks",
        description:
          "To be named under `webhook.urls` in LiveKit's configuration. `Authorization` is a JWT " +
          'signed with the API secret, whose `sha256` is that of the body. An answer of 503 makes ' +
          'the SFU try again.',
        security: [{ webhookToken: [] }],
        requestBody: REQUEST_BODY,
        responses: RESPONSES,
      },
    },
  )
}
