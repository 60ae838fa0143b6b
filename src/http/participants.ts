import { Elysia } from 'elysia'
import type { Authorise, Credentials, Participant } from '../exchange/authorisation.ts'
import type { DelayedLeave } from '../exchange/leave-takeover.ts'
import { type Device, identityOf } from '../livekit/names.ts'
import type { RequestLog } from './request-log.ts'

/** What a request body asks for, and the credentials in it. */
export interface ParticipantRequest extends Credentials {
  /** Name of the LiveKit room. */
  readonly room: string
  readonly device: Device
  readonly leave: DelayedLeave | undefined
}

/** Options of {@link participantPlugin}. */
export interface ParticipantOptions {
  readonly authorise: Authorise
  readonly requestLog: RequestLog
}

/**
 * Plugin for the routes that participants call, with two route options. `participant` reads the validated
 * body; then the user is authorised, and the handler finds `participant` and `leave` in its context.
 * `cors` marks a route that browsers call.
 */
export function participantPlugin({ authorise, requestLog }: ParticipantOptions) {
  async function admit(asked: ParticipantRequest, request: Request) {
    const { leave, room, device, ...credentials } = asked
    const record = requestLog.of(request)
    record.serverName = credentials.openIdToken.matrixServerName
    record.room = room
    const user = await authorise(credentials, request.signal)
    record.access = user.access.level
    record.identity = identityOf(user.userId, device)
    const participant: Participant = { user, room, identity: record.identity }
    return { participant, leave }
  }

  return new Elysia({ name: 'participants' }).macro({
    cors: (_enabled: true) => ({}),
    participant: (read: (body: never) => ParticipantRequest) => ({
      // The framework reads the source of this function, and copes with simple ones alone. The schema of
      // the route stands for the type of the body.
      resolve: ({ body, request }: { body: unknown; request: Request }) =>
        admit(read(body as never), request),
    }),
  })
}

/** Type of the plugin, for routes that use it. */
export type ParticipantPlugin = ReturnType<typeof participantPlugin>
