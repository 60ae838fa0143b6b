import type { MatrixClient } from './matrix-client.ts'

/** The state event that announces a user's device in the call of a room. */
export interface CallMembership {
  readonly roomId: string
  /** Has the homeserver empty the announcement after the delay, and returns the ID to stop it by. */
  scheduleLeave(delayMs: number): Promise<string>
  /** What everybody in the room sees: what was announced, or `{}` once the device has left. */
  content(): Promise<unknown>
  /** The IDs of the scheduled events of the user that have not been sent. */
  scheduled(): Promise<readonly string[]>
}

/** What a device in the call announces. */
export const announcement = { application: 'm.call', call_id: '' }

const stateType = 'org.matrix.msc3401.call.member'

/**
 * Creates a room, and announces the client's device in it as being in the call.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4140
 */
export async function announceInNewRoom(client: MatrixClient): Promise<CallMembership> {
  const roomId = await client.createRoom()
  const stateKey = `_${client.userId}_${client.deviceId}_m.call`
  const path = ['v3', 'rooms', roomId, 'state', stateType, stateKey]
    .map(encodeURIComponent)
    .join('/')
  await client.call('PUT', path, announcement)

  return {
    roomId,
    scheduleLeave: async (delayMs) => {
      const delayed = `${path}?org.matrix.msc4140.delay=${delayMs}`
      return (await client.call<{ delay_id: string }>('PUT', delayed, {})).delay_id
    },
    content: () => client.call('GET', path),
    scheduled: async () => {
      const answer = await client.call<{ delayed_events: { delay_id: string }[] }>(
        'GET',
        'unstable/org.matrix.msc4140/delayed_events',
      )
      return answer.delayed_events.map((event) => event.delay_id)
    },
  }
}
