import { batchesOf } from '../../lib/batches.ts'
import { type Admission, type AdmissionStore, nameOf } from './admissions.ts'

/** A store, and what this process knows of its content. */
export interface KeptAdmissions {
  readonly store: AdmissionStore
  /** Number of tokens kept. */
  readonly size: number
  /**
   * Writes what is known back to a store that has lost it.
   *
   * @returns how many tokens were written
   * @throws {StoreUnavailable} when the store goes away again
   */
  refill(now: number): Promise<number>
}

const MAX_KEPT = 20_000
const AT_ONCE = 64

/**
 * Keeps the tokens that this process has handed out or checked. They are let go soon after they expire:
 * whenever it looks for rooms that are due, those that were longest neither handed out nor checked.
 */
export function keepAdmissions(store: AdmissionStore): KeptAdmissions {
  const kept = new Map<string, Admission>()

  function keep(admission: Admission): void {
    const name = nameOf(admission)
    const expiresAt = Math.max(admission.expiresAt, kept.get(name)?.expiresAt ?? 0)
    kept.delete(name)
    if (kept.size >= MAX_KEPT) deleteOldest()
    kept.set(name, { ...admission, expiresAt })
  }

  function deleteOldest(): void {
    const [oldest] = kept.keys()
    if (oldest !== undefined) kept.delete(oldest)
  }

  function letGoExpired(now: number): void {
    for (const [name, { expiresAt }] of kept) {
      if (expiresAt > now) return
      kept.delete(name)
    }
  }

  function unexpired(now: number): readonly Admission[] {
    for (const [name, { expiresAt }] of kept) if (expiresAt <= now) kept.delete(name)
    return [...kept.values()]
  }

  return {
    store: {
      async put(admission, perUser, now, firstCheckAt) {
        const outcome = await store.put(admission, perUser, now, firstCheckAt)
        if (outcome !== 'user-full') keep(admission)
        return outcome
      },
      async forget(admission) {
        kept.delete(nameOf(admission))
        await store.forget(admission)
      },
      async admissionsIn(matrixRoom, now) {
        const admissions = await store.admissionsIn(matrixRoom, now)
        for (const admission of admissions) keep(admission)
        return admissions
      },
      matrixRoomOf: (key, now) => store.matrixRoomOf(key, now),
      claimDue(now, limit, leaseUntil) {
        letGoExpired(now)
        return store.claimDue(now, limit, leaseUntil)
      },
      claim: (matrixRoom, leaseUntil) => store.claim(matrixRoom, leaseUntil),
      reschedule: (matrixRoom, leaseUntil, at) => store.reschedule(matrixRoom, leaseUntil, at),
      close: () => store.close(),
    },

    get size() {
      return kept.size
    },

    async refill(now) {
      const known = unexpired(now)
      for (const batch of batchesOf(known, AT_ONCE)) {
        const puts = batch.map((each) => store.put(each, Number.MAX_SAFE_INTEGER, now, now))
        await Promise.all(puts)
      }
      return known.length
    },
  }
}
