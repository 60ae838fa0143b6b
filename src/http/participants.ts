import { Elysia } from 'elysia'
import type {
  Authorise,
  AuthorisedUser,
  Credentials,
  Participant,
} from '../exchange/authorisation.ts'
import type { DelayedLeave } from '../exchange/leave-takeover.ts'
import { type Device, identityOf } from '../livekit/names.ts'
import { HangUps } from './hang-ups.ts'
import { JSON_BODY } from './json-body.ts'
import type { Limits } from './limits.ts'
import type { RequestLog } from './request-log.ts'

/** What a request body asks for, and the credentials in it. */
export interface ParticipantRequest extends Credentials {
  /** Name of the LiveKit room. */
  readonly room: string
  readonly device: Device
  readonly leave: DelayedLeave | undefined
}

/** Options of {@link participantCalls}. */
export interface ParticipantCallsOptions {
  readonly authorise: Authorise
  readonly requestLog: RequestLog
  readonly limits: Limits
}

/**
 * What the routes need that participants call. `parse` limits requests by the address that they come from
 * before it reads the body. The route option `participant` reads the validated body; then the user is
 * authorised, and the handler finds `participant` and `leave` in its context, and in `hangUp` what ends
 * its work when the client hangs up. `cors` marks a route that browsers call.
 */
export function participantCalls({ authorise, requestLog, limits }: ParticipantCallsOptions) {
  function admitAddress({ request }: { readonly request: Request }): void {
    requestLog.of(request).addressKey = limits.admitAddress(request)
  }

  const hangUps = new HangUps()

  async function admit(asked: ParticipantRequest, request: Request) {
    const { openIdToken, claimedUserId, room, device, leave } = asked
    const record = requestLog.of(request)
    record.serverName = openIdToken.matrixServerName
    record.room = room
    const hangUp = hangUps.of(request)
    let user: AuthorisedUser
    try {
      const asker = { key: record.addressKey, signal: hangUp }
      user = await authorise({ openIdToken, claimedUserId }, asker)
    } catch (error) {
      limits.noteFailure(record.addressKey)
      throw error
    }
    record.access = user.access.level
    record.identity = identityOf(user.userId, device)
    limits.admitUser(user.userId)
    const participant: Participant = { user, room, identity: record.identity }
    return { participant, leave, hangUp }
  }

  return {
    parse: [admitAddress, ...JSON_BODY] as const,
    plugin: new Elysia({ name: 'participants' }).macro({
      cors: (_enabled: true) => ({}),
      participant: (read: (body: never) => ParticipantRequest) => ({
        // The framework reads the source of this function, and copes with simple ones alone. The schema
        // of the route stands for the type of the body.
        resolve: ({ body, request }: { body: unknown; request: Request }) =>
          admit(read(body as never), request),
      }),
    }),
  }
}

/** What routes use of {@link participantCalls}. */
export type ParticipantCalls = ReturnType<typeof participantCalls>
