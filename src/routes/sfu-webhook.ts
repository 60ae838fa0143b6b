import { Elysia, t } from 'elysia'
import type { Delegations } from '../delegation/delegations.ts'
import { readBodyBytes } from '../http/body-bytes.ts'
import { allowOnly, HIDDEN } from '../http/methods.ts'
import type { RequestLog } from '../http/request-log.ts'
import { readWebhook, type Webhook, type WebhookVerifier } from '../livekit/webhook.ts'
import { COMMON_ERRORS } from './error-answers.ts'
import { errorAnswer } from './models.ts'
import { webhookReport } from './webhook-report.ts'

/** What the endpoint needs. */
export interface WebhookRoutesOptions {
  readonly verifier: WebhookVerifier
  readonly delegations: Delegations
  readonly requestLog: RequestLog
}

const MAX_BYTES = 1024 * 1024

const RESPONSE = {
  200: t.Object({}, { description: 'The event was taken notice of.' }),
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

/** Whatever else is signed is answered with 200 as well: trying again would not make it better. */
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
export function webhookRoutes({ verifier, delegations, requestLog }: WebhookRoutesOptions) {
  async function readSigned({ request }: { readonly request: Request }) {
    const digest = await verifier.verifyToken(request.headers.get('authorization'))
    return { webhook: readWebhook(await readBodyBytes(request, MAX_BYTES), digest) }
  }

  return new Elysia({ name: 'webhook' })
    .post(
      '/sfu_webhook',
      async function receiveWebhook({ request, body }) {
        const { webhook } = body as { readonly webhook: Webhook | undefined }
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
        parse: [readSigned, 'json'],
        response: RESPONSE,
        detail: {
          operationId: 'sfuWebhook',
          tags: ['Operation'],
          summary: "Receives the SFU's webhooks",
          description:
            "To be named under `webhook.urls` in LiveKit's configuration. `Authorization` is a JWT " +
            'signed with the API secret, whose `sha256` is that of the body. An answer of 503 makes ' +
            'the SFU try again.',
          requestBody: REQUEST_BODY,
        },
      },
    )
    .all('/sfu_webhook', allowOnly('POST'), HIDDEN)
}
