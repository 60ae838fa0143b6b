import type { DelegationStore } from '../delegation/store/store.ts'
import { methodsOf } from '../delegation/store/store-methods.ts'
import type { VerifyOpenIdToken } from '../matrix/openid.ts'
import { VerificationError } from '../matrix/verification-error.ts'
import type { Metrics, VerificationEnding } from '../metrics.ts'

function failureOf(error: unknown): VerificationEnding {
  if (!(error instanceof VerificationError))
    return { step: 'internal', outcome: 'failed', code: '' }
  const { step, isRefusal, trouble } = error
  return { step, outcome: isRefusal ? 'refused' : 'failed', code: trouble.code }
}

/** Counts verifications and how they end. */
export function countVerifications(
  verify: VerifyOpenIdToken,
  isNamed: (serverName: string) => boolean,
  metrics: Metrics,
): VerifyOpenIdToken {
  return async function verifyAndCount(token, asker) {
    const server = isNamed(token.matrixServerName) ? 'named' : 'other'
    try {
      const userId = await verify(token, asker)
      metrics.noteVerification(server, { step: 'userinfo', outcome: 'ok', code: '' })
      return userId
    } catch (error) {
      // A client that hung up says nothing about the server.
      if (!asker?.signal.aborted) metrics.noteVerification(server, failureOf(error))
      throw error
    }
  }
}

/** Measures the operations of a store. */
export function measureStore(store: DelegationStore, metrics: Metrics): DelegationStore {
  async function measured<T>(operation: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const end = (isDone: boolean) => {
      metrics.noteStoreCall(operation, isDone, (performance.now() - startedAt) / 1_000)
    }
    try {
      const result = await work()
      end(true)
      return result
    } catch (error) {
      end(false)
      throw error
    }
  }

  return {
    ...methodsOf(store),
    put: (delegation, bounds) => measured('put', () => store.put(delegation, bounds)),
    find: (key) => measured('find', () => store.find(key)),
    findInRoom: (room) => measured('find-in-room', () => store.findInRoom(room)),
    claimDue: (...args) => measured('claim', () => store.claimDue(...args)),
    replace: (...args) => measured('replace', () => store.replace(...args)),
    postpone: (stored, at) => measured('postpone', () => store.postpone(stored, at)),
    heartbeat: () => measured('heartbeat', () => store.heartbeat()),
  }
}
