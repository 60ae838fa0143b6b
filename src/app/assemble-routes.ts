import { Elysia } from 'elysia'
import type { ParticipantKey } from '../delegation/life/record.ts'
import { homeserverCalls } from '../http/homeserver-calls.ts'
import { createLimits, type Limits } from '../http/limits.ts'
import { completeMethods } from '../http/methods.ts'
import { participantCalls } from '../http/participants.ts'
import type { RequestLog } from '../http/request-log.ts'
import { createWebhookVerifier } from '../livekit/webhook.ts'
import { delegatedLeaveRoutes } from '../routes/delegated-leave.ts'
import { docsRoutes } from '../routes/docs/routes.ts'
import { healthRoutes } from '../routes/health.ts'
import { memberRoutes } from '../routes/member-routes.ts'
import { sfuWebhookRoutes } from '../routes/sfu-webhook.ts'
import { tokenRoutes } from '../routes/tokens.ts'
import type { Parts } from './assemble-parts.ts'
import type { AppOptions } from './options.ts'

/** What all endpoints share. */
export interface SharedParts {
  readonly requestLog: RequestLog
  readonly limits: Limits
}

/** Options of the framework. */
export const FRAMEWORK = {
  // Do not strip unknown members: it costs time, and they do no harm.
  normalize: false,
  // Otherwise the framework looks for the path after the 11th character, and misses it when `Host` is short.
  handler: { standardHostname: false },
} as const

/** Assembles the limits on requests. */
export function limitsOf({ config, monotonicNow, logger }: AppOptions): Limits {
  const { addressRate, trustedProxies } = config
  return createLimits({ addressRate, trustedProxies, monotonicNow, logger })
}

/** Assembles the endpoints. */
export function assembleRoutes(options: AppOptions, parts: Parts & SharedParts) {
  const { config, version, now, monotonicNow, tuning } = options
  const { requestLog, limits, delegations, authorise, tokenExchange, takeover } = parts
  const { applicationService, webhooks } = parts
  const { liveKitUrl, credentials } = config
  const calls = participantCalls({ authorise, requestLog, limits })
  const verifier = createWebhookVerifier(credentials, now)
  const onWebhook = (event: string) => {
    webhooks.noteWebhook()
    options.metrics.noteWebhook(event)
  }
  const onJoined = async (key: ParticipantKey) => applicationService?.enforcement?.noteJoined(key)
  const documented = new Elysia(FRAMEWORK)
    .use(healthRoutes())
    .use(tokenRoutes({ calls, tokenExchange, liveKitUrl }))
    .use(delegatedLeaveRoutes({ calls, takeover }))
    .use(sfuWebhookRoutes({ verifier, delegations, requestLog, onWebhook, onJoined }))
  if (applicationService !== undefined) {
    const homeserver = homeserverCalls({
      ...{ ...applicationService, requestLog, limits, monotonicNow },
      answerWithinMs: tuning?.answerWithinMs,
    })
    documented.use(memberRoutes({ ...applicationService, calls: homeserver }))
  }
  const app = new Elysia(FRAMEWORK).use(documented)
  const hasMembers = applicationService !== undefined
  if (config.swagger) app.use(docsRoutes({ version, documented, hasMembers }))
  completeMethods(app)
  return app
}
