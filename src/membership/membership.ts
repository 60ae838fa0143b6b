import type { CancellationSignal } from '../lib/cancellation.ts'
import { ExpiringCache } from '../lib/expiring-cache.ts'
import type { OwnHomeserver } from '../matrix/own-homeserver.ts'
import type { Subject } from '../matrix/own-homeserver-api.ts'

/** The user, or the server, is not joined to the Matrix room. */
export class NotJoined extends Error {
  readonly code = 'not-joined'

  constructor(who: 'user' | 'server') {
    super(`the ${who} is not joined to the room`)
    this.name = 'NotJoined'
  }
}

/**
 * Decides who may get in. The homeserver is asked each time; only requests about the same room and user
 * at the same moment share an answer.
 */
export interface Membership {
  /**
   * Requires that a user, or some user of a server, is joined to a Matrix room.
   *
   * @param signal - fires when the caller no longer needs the answer
   * @throws {NotJoined}
   * @throws {HomeserverFailed} when the homeserver does not say
   */
  requireJoined(matrixRoom: string, subject: Subject, signal: CancellationSignal): Promise<void>
}

/** Creates {@link Membership}. */
export function createMembership(homeserver: Pick<OwnHomeserver, 'isJoined'>): Membership {
  const asking = new ExpiringCache<boolean>({ maxEntries: 1, now: () => 0 })

  return {
    async requireJoined(matrixRoom, subject, signal) {
      const key = JSON.stringify([matrixRoom, subject])
      const ask = async (_: unknown, shared: CancellationSignal) => {
        return { value: await homeserver.isJoined(matrixRoom, subject, shared), ttlMs: 0 }
      }
      if (await asking.get(key, ask, signal)) return
      throw new NotJoined('userId' in subject ? 'user' : 'server')
    },
  }
}
