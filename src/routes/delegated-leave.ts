import { Elysia } from 'elysia'
import type { LeaveTakeover } from '../exchange/leave-takeover.ts'
import { FieldError } from '../http/json-body.ts'
import type { ParticipantCalls } from '../http/participants.ts'
import { COMMON_ERRORS, emptyAnswer, errorAnswer } from './answers.ts'
import { DelegateBody } from './models.ts'
import { fromDelegate } from './participant-request.ts'

/** Options of {@link delegatedLeaveRoutes}. */
export interface DelegatedLeaveRoutesOptions {
  readonly calls: ParticipantCalls
  readonly takeover: LeaveTakeover
}

const RESPONSES = {
  200: emptyAnswer('The delayed leave event was taken over.'),
  ...COMMON_ERRORS,
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

/** `POST /delegate_delayed_leave`: the service takes over a delayed leave event. */
export function delegatedLeaveRoutes({ calls, takeover }: DelegatedLeaveRoutesOptions) {
  return new Elysia({ name: 'delegated-leave' }).use(calls.plugin).post(
    '/delegate_delayed_leave',
    async function delegateDelayedLeave({ participant, leave, hangUp }) {
      if (leave === undefined) throw new FieldError('delay_id')
      await takeover.takeOver(participant, leave, hangUp)
      return {}
    },
    {
      cors: true,
      parse: [...calls.parse],
      body: DelegateBody,
      participant: fromDelegate,
      detail: {
        operationId: 'delegateDelayedLeave',
        tags: ['Delegation'],
        summary: 'Hands a delayed leave event over to the service',
        description:
          'The service restarts the event while the participant is on the SFU, and sends it when ' +
          'the participant has left. A new request for the same participant takes the place of the ' +
          'earlier one. After 404 the service cannot do it, after 400 or 403 it does not do it for this ' +
          'user: restart the event yourself. After 503 try again, and restart it until then. See ' +
          '"Delayed leave events" above.',
        responses: RESPONSES,
      },
    },
  )
}
