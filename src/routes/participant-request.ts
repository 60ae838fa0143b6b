import type { DelayedLeave } from '../exchange/leave-takeover.ts'
import { FieldError } from '../http/json-body.ts'
import type { ParticipantRequest } from '../http/participants.ts'
import { LEGACY_SLOT_ID, liveKitRoom } from '../livekit/names.ts'
import { parseServerName } from '../matrix/server-name.ts'
import {
  type DelayFields,
  type DelegateBody,
  type GetTokenBody,
  isGetTokenForm,
  type LegacyBody,
  type SfuGetBody,
} from './models.ts'

type MemberBody = Pick<GetTokenBody, 'room_id' | 'slot_id' | 'openid_token' | 'member'>

/** These would be path steps in a URL. */
const NO_IDS = ['.', '..']

function checkedDelayId(delayId: string): string {
  if (delayId === '' || NO_IDS.includes(delayId)) throw new FieldError('delay_id')
  return delayId
}

function delayedLeaveOf({ delay_id, delay_timeout }: DelayFields): DelayedLeave | undefined {
  const delayId = delay_id ?? ''
  const delayMs = delay_timeout ?? 0
  if (delayId === '' && delayMs === 0) return undefined
  if (delayMs === 0) throw new FieldError('delay_timeout')
  return { delayId: checkedDelayId(delayId), delayMs }
}

function openIdTokenOf({ openid_token }: Pick<MemberBody, 'openid_token'>) {
  return {
    matrixServerName: openid_token.matrix_server_name,
    accessToken: openid_token.access_token,
  }
}

function memberRequest(body: MemberBody, leave: DelayedLeave | undefined): ParticipantRequest {
  const { room_id, slot_id, member } = body
  return {
    openIdToken: openIdTokenOf(body),
    claimedUserId: member.claimed_user_id,
    room: liveKitRoom(room_id, slot_id),
    device: { form: 'member', deviceId: member.claimed_device_id, memberId: member.id },
    leave,
  }
}

/** Reads a body of `/get_token`. */
export function fromGetToken(body: GetTokenBody): ParticipantRequest {
  return memberRequest(body, delayedLeaveOf(body))
}

/**
 * Refuses a device ID that would produce the identity of another user: `@alice:example.com` with
 * `8449:DEV` has the same one as `@alice:example.com:8449` with `DEV`.
 */
function checkedDeviceId({ openid_token, device_id }: LegacyBody): string {
  const deviceId = device_id ?? ''
  const server = parseServerName(openid_token.matrix_server_name)
  if (/^\d{1,5}:/.test(deviceId) && server?.port === undefined) {
    throw new FieldError('device_id', 'must not begin like a port, as "8449:" does')
  }
  return deviceId
}

function fromLegacy(body: LegacyBody): ParticipantRequest {
  return {
    openIdToken: openIdTokenOf(body),
    claimedUserId: undefined,
    room: liveKitRoom(body.room, LEGACY_SLOT_ID),
    device: { form: 'legacy', deviceId: checkedDeviceId(body) },
    leave: delayedLeaveOf(body),
  }
}

/** Reads a body of `/sfu/get`, in either form. */
export function fromSfuGet(body: SfuGetBody): ParticipantRequest {
  return isGetTokenForm(body) ? fromGetToken(body) : fromLegacy(body)
}

/** Reads a body of `/delegate_delayed_leave`. */
export function fromDelegate(body: DelegateBody): ParticipantRequest {
  const leave = { delayId: checkedDelayId(body.delay_id), delayMs: body.delay_timeout }
  return memberRequest(body, leave)
}
