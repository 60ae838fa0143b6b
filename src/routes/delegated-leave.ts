import { Elysia, t } from 'elysia'
import { DelegationForbidden } from '../exchange/leave-takeover.ts'
import type { TokenExchange } from '../exchange/token-exchange.ts'
import { TakeoverForbidden } from '../http/errors.ts'
import { readJsonBody } from '../http/json-body.ts'
import { allowOnly, answerPreflight, HIDDEN } from '../http/methods.ts'
import type { RequestLog } from '../http/request-log.ts'
import { checkBodyBy } from './body-check.ts'
import { COMMON_ERRORS } from './error-answers.ts'
import { DelegateBody, errorAnswer } from './models.ts'
import { fromDelegate } from './participant-request.ts'
import { noteProgress } from './progress.ts'

/** What the endpoint needs. */
export interface DelegationRoutesOptions {
  readonly tokenExchange: TokenExchange
  readonly requestLog: RequestLog
}

const RESPONSE = {
  ...COMMON_ERRORS,
  200: t.Object({}, { description: 'The delayed leave event was taken over.' }),
  400: errorAnswer(
    '`M_NOT_JSON`: the body is not JSON. `M_BAD_JSON`: a required field is missing, empty or of ' +
      "the wrong type, or the homeserver's client API cannot be located.",
    'M_BAD_JSON',
    'Unable to resolve client-server API',
  ),
  403: errorAnswer(
    '`M_FORBIDDEN`: the user has restricted access.',
    'M_FORBIDDEN',
    'Delegation of delayed leave events is not available to this user.',
  ),
}

function forThisEndpoint(error: unknown): never {
  throw error instanceof DelegationForbidden ? new TakeoverForbidden() : error
}

/** `POST /delegate_delayed_leave`: the service takes over a delayed leave event. */
export function delegationRoutes({ tokenExchange, requestLog }: DelegationRoutesOptions) {
  return new Elysia({ name: 'delegation' })
    .post(
      '/delegate_delayed_leave',
      async function delegateDelayedLeave({ request, body }) {
        const takeover = { ...fromDelegate(body), signal: request.signal }
        const progress = noteProgress(requestLog.of(request), takeover)
        await tokenExchange.takeOver(takeover, progress).catch(forThisEndpoint)
        return {}
      },
      {
        parse: [readJsonBody, 'json'],
        transform: checkBodyBy(DelegateBody),
        body: DelegateBody,
        response: RESPONSE,
        detail: {
          operationId: 'delegateDelayedLeave',
          tags: ['Delegation'],
          summary: 'Hands a delayed leave event over to the service',
          description:
            'From now on the service restarts the event while the participant is on the SFU, and ' +
            'sends it when the participant has left. A new request for the same participant takes ' +
            'the place of the former one. See MSC4140 and MSC4195.',
        },
      },
    )
    .options('/delegate_delayed_leave', answerPreflight, HIDDEN)
    .all('/delegate_delayed_leave', allowOnly('OPTIONS, POST'), HIDDEN)
}
