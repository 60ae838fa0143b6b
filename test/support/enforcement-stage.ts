import { identityOf, liveKitRoom } from '../../src/livekit/names.ts'
import type { TestApp, TestAppOptions } from './app.ts'
import {
  AS_TOKEN,
  HS_TOKEN,
  MEMBER_PATHS,
  type MemberStage,
  startMemberStage,
} from './member-stage.ts'
import type { WebhookFields } from './sfu-webhook.ts'

/** A user, and the place in a call that a token opens. */
export interface Place {
  readonly userId: string
  readonly roomId: string
  readonly memberId: string
  /** Name of the LiveKit room. */
  readonly room: string
  readonly identity: string
}

/** A stage whose service checks the members of every room at each {@link INTERVAL_MS}. */
export interface EnforcementStage extends MemberStage {
  /** Makes a user of our homeserver a member, who asks for a token. */
  admit(userId: string, roomId?: string, app?: TestApp): Promise<Place>
  /** The same for a user of another homeserver. */
  admitRemote(userId: string, roomId?: string): Promise<Place>
  /** Connects to the SFU, which tells nobody. */
  connect(place: Place): void
  /** Connects to the SFU, which tells the service. */
  join(place: Place, app?: TestApp): Promise<Response>
  /** Disconnects from the SFU, which tells the service. */
  leave(place: Place, app?: TestApp): Promise<Response>
  /** Hands the leave event of a place over to the service. */
  delegate(place: Place, delayId: string): Promise<Response>
  /** Identities that the SFU was told to remove. */
  removals(): readonly string[]
  /** LiveKit rooms that the SFU was told to delete. */
  deletions(): readonly string[]
  /** How often the homeserver was asked for the members of a room, or of any. */
  listings(roomId?: string): number
}

/** The room of most tests. */
export const ROOM_ID = '!room:example.com'
/** `/joined_members` of a room. */
export function membersPath(roomId = ROOM_ID): string {
  return `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/joined_members`
}
/** `/is_joined` of a room. */
export function isJoinedPath(roomId = ROOM_ID): string {
  const prefix = '/_matrix/client/unstable/io.element.msc4502'
  return `${prefix}/rooms/${encodeURIComponent(roomId)}/is_joined`
}

const SLOT_ID = 'm.call#ROOM'
/** How often members are checked, unless the environment of a test says it. */
export const INTERVAL_MS = 300
const OFTEN = {
  asToken: AS_TOKEN,
  hsToken: HS_TOKEN,
  serverName: 'example.com',
  membershipCheckMs: INTERVAL_MS,
}

function placeOf(userId: string, roomId: string): Place {
  const memberId = `member of ${userId}`
  return {
    ...{ userId, roomId, memberId },
    room: liveKitRoom(roomId, SLOT_ID),
    identity: identityOf(userId, { form: 'vouched', memberId }),
  }
}

/** Sets the stage. */
export async function startEnforcementStage(
  options: TestAppOptions = {},
): Promise<EnforcementStage> {
  const isGiven = options.env?.LIVEKIT_MEMBERSHIP_CHECK_INTERVAL_SECONDS !== undefined
  const config = isGiven ? {} : { applicationService: OFTEN }
  const stage = await startMemberStage({ config, ...options })
  const { sfu, api, homeserver } = stage

  function bodyOf({ roomId, memberId }: Place) {
    return { url: sfu.wsUrl, room_id: roomId, slot_id: SLOT_ID, member_id: memberId }
  }

  async function expectToken(response: Response): Promise<void> {
    if (response.status === 200) return
    throw new Error(`no token: ${response.status} ${await response.text()}`)
  }

  function report(place: Place, event: string, app: TestApp = stage.app): Promise<Response> {
    const { room, identity } = place
    const webhook: WebhookFields = { event, room: { name: room }, participant: { identity } }
    return sfu.sendWebhook(`${app.url}/sfu_webhook`, webhook)
  }

  function connect({ room, identity }: Place): void {
    sfu.addParticipant(room, identity)
  }

  function asked(method: string) {
    return sfu.requests.filter((request) => request.method === method)
  }

  return {
    ...stage,
    async admit(userId, roomId = ROOM_ID, app = stage.app) {
      const place = placeOf(userId, roomId)
      api.join(roomId, userId)
      await expectToken(await stage.callFor(userId, MEMBER_PATHS.token, bodyOf(place), app))
      return place
    },
    async admitRemote(userId, roomId = ROOM_ID) {
      const place = placeOf(userId, roomId)
      api.join(roomId, userId)
      const origin = userId.slice(userId.indexOf(':') + 1)
      const body = { user_id: userId, ...bodyOf(place) }
      await expectToken(await stage.callFrom(origin, MEMBER_PATHS.federatedToken, body))
      return place
    },
    connect,
    join(place, app) {
      connect(place)
      return report(place, 'participant_joined', app)
    },
    leave(place, app) {
      sfu.removeParticipant(place.room, place.identity)
      return report(place, 'participant_left', app)
    },
    delegate(place, delayId) {
      const { userId, roomId } = place
      api.scheduled.set(delayId, { userId, roomId, delayMs: 60_000 })
      homeserver.scheduleDelayedEvent(delayId)
      const body = { ...bodyOf(place), delay_id: delayId }
      return stage.callFor(userId, MEMBER_PATHS.leave, body)
    },
    removals: () => asked('RemoveParticipant').map(({ message }) => Object(message).identity),
    deletions: () => asked('DeleteRoom').map(({ message }) => Object(message).room),
    listings(roomId) {
      return homeserver.requests.filter(({ path }) => {
        return roomId === undefined
          ? path.endsWith('/joined_members')
          : path === membersPath(roomId)
      }).length
    },
  }
}
