import { Elysia } from 'elysia'
import type { TakeOverMemberLeave } from '../exchange/member-leave.ts'
import { InvalidParameter, type MemberRequest } from '../exchange/member-request.ts'
import type { MemberTokens } from '../exchange/member-tokens.ts'
import type { HomeserverCalls } from '../http/homeserver-calls.ts'
import { FieldError } from '../http/json-body.ts'
import { HIDDEN } from '../http/methods.ts'
import { identityOf, liveKitRoom } from '../livekit/names.ts'
import { parseServerName, serverNameOfUser } from '../matrix/server-name.ts'
import { CLIENT_LEAVE, CLIENT_TOKEN, FEDERATED_TOKEN, PING } from './member-documentation.ts'
import {
  FederatedTokenBody,
  type MemberFields,
  MemberLeaveBody,
  MemberTokenBody,
} from './member-models.ts'

/** Options of {@link memberRoutes}. */
export interface MemberRoutesOptions {
  readonly calls: HomeserverCalls
  readonly memberTokens: MemberTokens
  readonly takeOverLeave: TakeOverMemberLeave
  /** Our homeserver's server name. */
  readonly serverName: string
}

function memberRequest(userId: string, body: MemberFields): MemberRequest {
  const { url, room_id: roomId, slot_id: slotId, member_id, member } = body
  const memberId = member_id ?? member?.id
  if (memberId === undefined) throw new FieldError('member_id')
  const room = liveKitRoom(roomId, slotId)
  const identity = identityOf(userId, { form: 'vouched', memberId })
  return { userId, url, roomId, slotId, memberId, room, identity }
}

function sfuServer({ server_name }: MemberTokenBody, ownName: string): string {
  const name = server_name ?? ownName
  if (parseServerName(name) !== undefined) return name
  throw new InvalidParameter('server_name', 'is not a server name')
}

function checkedUserId({ user_id }: FederatedTokenBody): string {
  const server = serverNameOfUser(user_id)
  if (server !== undefined && parseServerName(server) !== undefined) return user_id
  throw new InvalidParameter('user_id', 'is not a user ID')
}

/** The stable path of an endpoint, and the unstable one; only the former is documented. */
function forms<Detail>(path: string, detail: Detail) {
  const unstable = path.replace('/v1/', '/unstable/io.element.msc4195/')
  return [
    { path, detail },
    { path: unstable, ...HIDDEN },
  ]
}

/**
 * The endpoints of application-service mode, which our homeserver calls for its users and for other
 * homeservers. See MSC4195.
 */
export function memberRoutes(options: MemberRoutesOptions) {
  const { calls, memberTokens, takeOverLeave, serverName } = options
  const app = new Elysia({ name: 'members' }).use(calls.plugin).onTransform(function announceJson({
    set,
  }) {
    // The framework itself would add a charset.
    set.headers['content-type'] = 'application/json'
  })

  for (const { path, detail } of forms('/_matrix/client/v1/rtc/livekit/get_token', CLIENT_TOKEN)) {
    app.post(
      path,
      async function getMemberToken({ body, caller, inTime }) {
        const request = memberRequest(caller, body)
        const sfuOf = sfuServer(body, serverName)
        return {
          jwt: await inTime(request, (signal) => memberTokens.forOwnUser(request, sfuOf, signal)),
        }
      },
      {
        cors: true,
        parse: [...calls.forUser],
        caller: true,
        body: MemberTokenBody,
        detail,
      },
    )
  }

  for (const { path, detail } of forms(
    '/_matrix/client/v1/rtc/livekit/delegate_delayed_leave',
    CLIENT_LEAVE,
  )) {
    app.post(
      path,
      async function delegateMemberLeave({ body, caller, inTime }) {
        const request = memberRequest(caller, body)
        await inTime(request, (signal) => takeOverLeave(request, body.delay_id, signal))
        return {}
      },
      {
        cors: true,
        parse: [...calls.forUser],
        caller: true,
        body: MemberLeaveBody,
        detail,
      },
    )
  }

  for (const { path, detail } of forms(
    '/_matrix/federation/v1/rtc/livekit/get_token',
    FEDERATED_TOKEN,
  )) {
    app.post(
      path,
      async function getFederatedToken({ body, caller, inTime }) {
        const request = memberRequest(checkedUserId(body), body)
        return {
          jwt: await inTime(request, (signal) =>
            memberTokens.forFederatedUser(request, caller, signal),
          ),
        }
      },
      {
        parse: [...calls.forOrigin],
        caller: true,
        body: FederatedTokenBody,
        detail,
      },
    )
  }

  for (const { path, detail } of forms('/_matrix/app/v1/ping', PING)) {
    app.post(path, () => ({}), { parse: [...calls.forItself], detail })
  }
  return app
}
