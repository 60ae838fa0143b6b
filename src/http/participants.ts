import { Elysia } from 'elysia'
import type { Authorise, Credentials, Participant } from '../exchange/authorisation.ts'
import type { DelayedLeave } from '../exchange/leave-takeover.ts'
import { type Device, identityOf } from '../livekit/names.ts'
import type { RequestLog } from './request-log.ts'

/** What a body says of a participant, and how it proves who it is. */
export interface ParticipantRequest extends Credentials {
  /** Name of the LiveKit room. */
  readonly room: string
  readonly device: Device
  readonly leave: DelayedLeave | undefined
}

/** What {@link participantPlugin} needs. */
export interface ParticipantOptions {
  readonly authorise: Authorise
  readonly requestLog: RequestLog
}

/**
 * Options of the routes that participants call. `participant` is how the body, once it is validated, is
 * read; the user is authorised then, and the handler finds `participant` and `leave` in its context.
 * `cors` says that browsers call the route.
 */
export function participantPlugin({ authorise, requestLog }: ParticipantOptions) {
  return new Elysia({ name: 'participants' }).macro({
    cors: (_enabled: true) => ({}),
    participant: (read: (body: never) => ParticipantRequest) => ({
      async resolve({ body, request }: { body: unknown; request: Request }) {
        // The schema of the route stands for its type.
        const { leave, room, device, ...credentials } = read(body as never)
        const record = requestLog.of(request)
        record.serverName = credentials.openIdToken.matrixServerName
        record.room = room
        const user = await authorise(credentials, request.signal)
        record.access = user.access.level
        record.identity = identityOf(user.userId, device)
        const participant: Participant = { user, room, identity: record.identity }
        return { participant, leave }
      },
    }),
  })
}

/** The plugin, for the types of routes that use it. */
export type ParticipantPlugin = ReturnType<typeof participantPlugin>
