import { decodeJwt } from 'jose'
import { createPrometheusMetrics } from '../../src/prometheus.ts'
import type { TestApp } from '../support/app.ts'
import { MEMBER_PATHS, type MemberStage, startMemberStage } from '../support/member-stage.ts'

/** Of `["!roomid:example.com","slot1234"]`. */
const ROOM = 'O8437W3+jmzMVjoIP3tNwbm+XxHQk2iKpOA7aqw3qSc'
const ALICE = '@alice:example.com'
export const ROOM_ID = '!roomid:example.com'

/** The service with metrics and everything switched on, and something for it to do. */
export interface TrafficStage extends MemberStage {
  /** With metrics, and OpenID tokens of `example.com` too. */
  readonly counted: TestApp
  /** Asks for a token of the SFU for Alice, by an OpenID token. */
  exchange(body?: object): Promise<Response>
  /** Hands over a delayed event; gives the participant's identity. */
  delegate(delayId: string): Promise<string>
  /** Has the SFU report something about a participant. */
  report(event: string, identity?: string): Promise<Response>
  /** Gets a token as a member of the room, connects, and leaves the Matrix room. */
  leaveRoomWhileConnected(): Promise<void>
}

/**
 * Sets the stage.
 *
 * @param env - further settings
 */
export async function startTrafficStage(env: Record<string, string> = {}): Promise<TrafficStage> {
  const stage = await startMemberStage()
  const { homeserver, sfu, api } = stage
  const counted = await stage.startReplica({
    metrics: createPrometheusMetrics('0.0.0-test'),
    env: {
      LIVEKIT_FEDERATION_URL_OVERRIDES: `example.com=${homeserver.url}`,
      LIVEKIT_FULL_ACCESS_HOMESERVERS: 'example.com',
      LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS: '1',
      ...env,
    },
  })
  function exchange(body: object = {}) {
    const access_token = homeserver.issueOpenIdToken(ALICE)
    const openid_token = { access_token, matrix_server_name: 'example.com' }
    const member = { id: 'member', claimed_user_id: ALICE, claimed_device_id: 'DEVICE' }
    const all = { room_id: ROOM_ID, slot_id: 'slot1234', openid_token, member, ...body }
    return counted.post('/get_token', all)
  }

  /** The identity in the token of an answer. */
  async function identityIn(response: Response): Promise<string> {
    const { jwt } = (await response.json()) as { jwt?: string }
    if (jwt === undefined) throw new Error(`no token, but status ${response.status}`)
    return decodeJwt(jwt).sub ?? ''
  }

  function report(event: string, identity?: string) {
    const participant = identity === undefined ? {} : { participant: { identity, sid: 'PA_1' } }
    return sfu.sendWebhook(`${counted.url}/sfu_webhook`, {
      event,
      room: { name: ROOM },
      ...participant,
    })
  }

  return {
    ...stage,
    counted,
    exchange,
    async delegate(delayId) {
      homeserver.scheduleDelayedEvent(delayId)
      const member = { id: delayId, claimed_user_id: ALICE, claimed_device_id: 'DEVICE' }
      const body = { member, delay_id: delayId, delay_timeout: 3_600_000 }
      return identityIn(await exchange(body))
    },
    report,
    async leaveRoomWhileConnected() {
      api.join(ROOM_ID, ALICE, '@bob:example.com')
      const body = { url: sfu.wsUrl, room_id: ROOM_ID, slot_id: 'slot1234', member_id: 'leaver' }
      const identity = await identityIn(
        await stage.callFor(ALICE, MEMBER_PATHS.token, body, counted),
      )
      sfu.addParticipant(ROOM, identity)
      api.leave(ROOM_ID, ALICE)
      await report('participant_joined', identity)
    },
  }
}
